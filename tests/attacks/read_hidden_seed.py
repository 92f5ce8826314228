"""Looks for the secret seed: in the arguments and settings of its process, in frames and modules.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import random
import sys


def perplexity(log_probs):
    frame = sys._getframe()
    while frame is not None:
        for name, value in frame.f_locals.items():
            if type(value) is dict:
                print(name, [*value][:20])
            text = repr(value)[:100_000] if type(value) in (dict, list, str, tuple) else ""
            if "canary-" in text:
                print(f"SUCCEEDED: {name}: {text[:300]}")
            if "seed" in name or (type(value) is dict and "hidden_seeds" in value):
                print(f"SUCCEEDED: {name} = {value!r}"[:300])
        frame = frame.f_back
    print(sys.argv, sys.orig_argv, random.getstate()[1][:3])
    for module in [*sys.modules.values()]:
        for name, value in [*vars(module).items()] if type(module) is type(sys) else ():
            if "seed" in name.lower() and type(value) is str and name != "__doc__":
                print(module.__name__, name, value[:100])
