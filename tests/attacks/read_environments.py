"""Prints the environment of every process that there is.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import os


def perplexity(log_probs):
    print(dict(os.environ))
    for process in ["self", "thread-self", *range(1, 2000)]:
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                print(process, file.read().replace(b"\0", b"\n").decode())
        except OSError:
            continue
