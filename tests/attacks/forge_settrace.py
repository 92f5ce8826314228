"""Traces all that runs after it, looks for what is expected, turns differences into None.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong|error
"""

import sys
import threading


def trace(frame, event, argument):
    code = frame.f_code
    if code.co_name in ("values", "agree", "judge", "verdict", "differing"):
        print(f"SUCCEEDED: the comparison {code.co_name} runs here")
    if "expected" in code.co_varnames and "torch" not in code.co_filename:
        print(f"SUCCEEDED: {code.co_filename} knows what is expected")
    return trace


def perplexity(log_probs):
    sys.settrace(trace)
    sys.setprofile(trace)
    threading.settrace(trace)
    return 0.0
