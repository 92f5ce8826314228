"""How long a student waits for `pytest exercises`, held against the imports that nobody can avoid.

    python benchmarks/feedback.py [--rounds 7]

Runs solved answers in fresh processes, each command once per round so that a slow spell of the
machine hits all of them, and prints medians and ratios. Use an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYTEST = ["-m", "pytest", "--answers", "solutions", "--reference", "gpt2-tiny", "-q"]
IMPORT_TORCH = "import torch, pytest"
COMMANDS = {
    "import torch, pytest": ["-c", IMPORT_TORCH],
    "... and load the tokenizer": [
        "-c",
        f"{IMPORT_TORCH}; from grader.inside.reference import load_tokenizer; load_tokenizer('gpt2-tiny')",
    ],
    "import TransformerBridge": ["-c", "from transformer_lens import TransformerBridge"],
    "pytest exercises/lesson1_tokens.py": [*PYTEST, "exercises/lesson1_tokens.py"],
    "pytest exercises -k softmax": [*PYTEST, "exercises", "-k", "softmax"],
    "pytest exercises": [*PYTEST, "exercises"],
}


# Compiled modules are kept between runs, as they are on anybody's machine.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def seconds(arguments: list[str]) -> float:
    command = [sys.executable, *arguments]
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="at least 5 (default: 7)")
    rounds = max(5, parser.parse_args().rounds)
    for arguments in COMMANDS.values():
        seconds(arguments)  # warm the file cache
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, arguments in COMMANDS.items():
            times[name].append(seconds(arguments))

    median = {name: statistics.median(taken) for name, taken in times.items()}
    for name, taken in times.items():
        print(f"{name:<38}{median[name]:6.2f} s   ({min(taken):.2f} to {max(taken):.2f})")
    torch_, with_tokenizer, bridge, lesson1, softmax, everything = median.values()
    print(f"\nmedians of {rounds} rounds; targets in brackets")
    tokenizer = with_tokenizer - torch_
    for name, ratio, target in [
        ("lesson1, less the tokenizer, over import torch, pytest", (lesson1 - tokenizer) / torch_, 1.5),
        ("-k softmax over import torch, pytest", softmax / torch_, 1.5),
        ("all four, less one second, over import TransformerBridge", (everything - 1) / bridge, 1.5),
    ]:  # fmt: skip
        print(f"{name:<58}{ratio:5.2f}   [{target}]")


if __name__ == "__main__":
    main()
