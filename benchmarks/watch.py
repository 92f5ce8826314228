"""How long `grader watch` takes from a save to the verdict.

    python benchmarks/watch.py [--rounds 7]

Saves solved answers again and again, each exercise that takes neither tokenizer nor reference right
and wrong by turns, and prints medians. The clock runs from before the file is written until the
verdict can be read. Use an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import ast
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader import lessons
from grader.verdict import load

ROOT = Path(__file__).parent.parent
TARGET = 0.3
DONE = "Everything passes."
# Softmax as people get it wrong, so that finding the name of the mistake is measured, too.
WRONG = {"softmax": "return x.exp() / x.exp().sum(dim, keepdim=True)"}


def with_first_line(text: str, function: str, line: str) -> str:
    """The function begins with this line, below its docstring."""
    node = next(n for n in ast.parse(text).body if getattr(n, "name", "") == function)
    at = node.body[ast.get_docstring(node) is not None].lineno - 1
    lines = text.splitlines()
    return "\n".join([*lines[:at], f"    {line}", *lines[at:], ""])


def until(output: list[str], watcher: subprocess.Popen[str], text: str) -> str:
    for line in watcher.stdout:
        output.append(line)
        if text in line:
            return line
    sys.exit("".join(["grader watch has ended:\n", *output]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="at least 5 (default: 7)")
    rounds = max(5, parser.parse_args().rounds)
    pure = [
        (lesson, exercise.name)
        for lesson in lessons.names()
        for exercise in load.exercises(lesson)
        if not any(check.needs for check in exercise.checks)
    ]
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder, "exercises")
        shutil.copytree(ROOT / "solutions", answers, ignore=shutil.ignore_patterns("__pycache__"))
        solved = {lesson: Path(answers, f"{lesson}.py").read_text() for lesson in lessons.names()}
        output: list[str] = []
        began = time.perf_counter()
        watcher = subprocess.Popen(
            [Path(sys.executable).parent / "grader", "watch", "--reference", "gpt2-tiny"],
            cwd=folder, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        times: dict[str, dict[str, list[float]]] = {"right": {}, "wrong": {}}
        try:
            until(output, watcher, DONE)
            print(f"start, with all that is solved: {time.perf_counter() - began:.1f} s")
            for number in range(rounds + 1):  # the first one warms the file cache
                for lesson, name in pure:
                    file, text = answers / f"{lesson}.py", solved[lesson]
                    saves = {
                        "wrong": with_first_line(text, name, WRONG.get(name, "return None")),
                        "right": with_first_line(text, name, f"# round {number}"),
                    }
                    for kind, save in saves.items():
                        saved = time.perf_counter()
                        file.write_text(save)
                        line = until(output, watcher, f" {name}  ")
                        taken = time.perf_counter() - saved
                        if ("  passed  (" in line) != (kind == "right") or "todo" in line:
                            sys.exit(f"not {kind}: {line}")
                        if number:
                            times[kind].setdefault(name, []).append(taken)
                    until(output, watcher, DONE)
        finally:
            watcher.terminate()
            watcher.wait()

    for kind, by_name in times.items():
        for name, taken in by_name.items():
            print(f"{kind}  {name:<28}{statistics.median(taken):6.3f} s   (to {max(taken):.3f})")
    everything = [t for by_name in times.values() for taken in by_name.values() for t in taken]
    print(f"\nsave to verdict, median of {rounds} rounds of {len(pure)} exercises, right and wrong")
    print(f"{statistics.median(everything):.3f} s   [{TARGET}]   (to {max(everything):.3f})")


if __name__ == "__main__":
    main()
