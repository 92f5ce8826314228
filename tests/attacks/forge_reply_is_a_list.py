"""Replies to the question for its functions with lists, numbers and nothing instead of a table.

kind: forging
lesson: lesson3_logits
expect: all wrong|error|todo
"""

import os

from grader.inside import wire

for reply in ([["there", ["perplexity"]]], 7, None, "names", [[[[]]]] * 3):
    os.write(3, wire.encode(reply))
