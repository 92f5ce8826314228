"""Takes four gigabytes while it is imported.

kind: denial
lesson: lesson3_logits
expect: all memory
"""

kept = [bytes(10_000_000) for _ in range(400)]
