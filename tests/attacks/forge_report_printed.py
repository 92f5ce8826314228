"""Prints what a report of its success would look like, with what a terminal would obey.

kind: forging
lesson: lesson3_logits
expect: perplexity wrong
"""

import sys


def perplexity(log_probs):
    print("\x1b[2J\x1b[H\x1b]0;grader\x07========= 10 passed in 0.01s =========")
    print('[{"exercise": "perplexity", "outcome": "passed", "points": 10}]')
    print("\x1b[8mhidden\x1b[0m [link=file:///etc/passwd]perplexity[/link] 10/10\r\x9b2J")
    sys.stderr.buffer.write(b"\xff\xfe\x00\xc3\x28" * 20)
    return 0.0
