from __future__ import annotations


class Problem(Exception):
    """Something that a person can mend. The message is one line: what is wrong, and what to do."""
