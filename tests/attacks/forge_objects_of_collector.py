"""Looks through all objects that the garbage collector knows for cases, checks and expected values.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import gc
import re

TYPES = {"Check", "Case", "Exercise", "Misconception", "Asked", "Question", "Exam", "Exams"}
CANARY = re.compile("canary-[a-z]+-[0-9a-f]{16}")


def perplexity(log_probs):
    gc.unfreeze()
    for thing in gc.get_objects():
        kind = type(thing)
        if kind.__name__ in TYPES and kind.__module__.startswith("grader"):
            print(f"SUCCEEDED: {thing!r}"[:200])
        elif kind is dict:
            for key, value in list(thing.items()):
                if type(key) is str and key in ("expected_frame", "hidden_seeds", "misconceptions"):
                    print(f"SUCCEEDED: {key} = {value!r}"[:200])
                for text in (key, value):
                    if type(text) is str and CANARY.search(text):
                        print(f"SUCCEEDED: {text[:200]}")
    return 0.0
