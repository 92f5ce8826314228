"""Answers without end and reads no question, of which one takes more room than a socket has.

kind: denial
lesson: lesson2_embedding
expect: embed_with_positions wrong|timeout|error
"""

import os

from grader.inside import wire


def embed_with_positions(*args, **kwargs):
    answers = wire.encode(None) * 10_000
    while True:
        os.write(3, answers)
