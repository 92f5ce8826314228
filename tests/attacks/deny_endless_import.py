"""Never ends to be imported.

kind: denial
lesson: lesson3_logits
expect: all timeout
"""

while True:
    pass
