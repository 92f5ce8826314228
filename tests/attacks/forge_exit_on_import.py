"""Ends the process with exit code 0 as soon as it is imported.

kind: forging
lesson: lesson3_logits
expect: all error
"""

import os

os._exit(0)
