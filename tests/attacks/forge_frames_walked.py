"""Walks up the frames to whoever asks, and returns what is expected there.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import sys

TELLING = ("expected", "solution", "misconception", "verdict", "exam", "gradebook", "hidden")


def perplexity(log_probs):
    frame = sys._getframe(1)
    while frame is not None:
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if any(word in name.lower() for word in TELLING):
                print(f"SUCCEEDED: {name} = {value!r} in {frame.f_code.co_name}")
                return value
        print(frame.f_code.co_name, [*frame.f_locals])
        frame = frame.f_back
    return None
