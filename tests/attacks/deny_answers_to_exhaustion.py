"""Writes well-formed answers without end and never reads a question.

kind: denial
lesson: lesson3_logits
expect: perplexity wrong|error|timeout
"""

import os
import time

from grader.inside import wire


def perplexity(log_probs):
    frames = wire.encode(None) * 10_000
    until = time.time() + 60
    while time.time() < until:
        os.write(3, frames)
