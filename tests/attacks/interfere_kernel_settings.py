"""Writes settings of the kernel that its namespaces have of their own, to be found by the next one.

kind: interference
lesson: lesson3_logits
times: 2
expect: perplexity wrong
"""

import os


def perplexity(log_probs):
    for folder, _, files in os.walk("/proc/sys"):
        for name in files:
            path = os.path.join(folder, name)
            try:
                with open(path) as setting:
                    value = setting.read()
                with open(path, "w") as setting:
                    setting.write(value)  # as it was, so that nothing would come of it
                print(f"SUCCEEDED: {path}")
            except (OSError, UnicodeDecodeError):
                continue
