"""How long grading a class takes, held against pytest per submission and against a bare fork.

    python benchmarks/grading.py [--submissions 20 200 2000] [--rounds 5] [--wrong 40]

Every submission is all lessons, solved; two at a time. With --wrong, so many more in which every
answer is wrong, in one of four ways, and is explained; that alone with `--submissions --rounds 0`.
Prints, each in one run on this machine:

- wall seconds per submission of `grader grade --jobs 2`, start-up left out and included;
- of one fresh `python -m pytest exercises --answers SUBMISSION` per submission, one after the
  other, and two at a time;
- of a bare fork of a warm process that makes the same observations on the same cases, with the same
  kept forward passes, two at a time: no isolation, no limits, nothing sent anywhere;
- the grader's own peak memory, by the size of the class;
- what a submission of wrong answers takes, and how many times that of a solved one it is.

Use an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOLUTIONS = ROOT / "solutions"
GRADER = Path(sys.executable).parent / "grader"
JOBS = 2
WARM_UP = 4  # submissions of a class that is graded to learn how long the start takes
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


# What makes every answer of a lesson wrong: in the i-th submission in the i-th of these ways.
WAYS = ("None", "[result]", "(result, None)", "result[:1] if hasattr(result, 'shape') else 1.5")
WRONG = """
def wrong(function):
    def answer(*args, **kwargs):
        result = function(*args, **kwargs)
        return {way}
    return answer

for name, value in list(globals().items()):
    if callable(value) and getattr(value, "__module__", "") == __name__ and name != "wrong":
        globals()[name] = wrong(value)
"""


@contextmanager
def a_class(n: int, are_wrong: bool = False) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n):
            submission = Path(folder, "class", f"student{i:05}")
            submission.mkdir(parents=True)
            for lesson in SOLUTIONS.glob("lesson*.py"):
                # A remark makes each submission its own; none is taken for another.
                text = lesson.read_text() + f"\n# handed in by student {i}\n"
                if are_wrong:
                    text += WRONG.format(way=WAYS[i % len(WAYS)])
                (submission / lesson.name).write_text(text)
        yield Path(folder)


def grade(n: int, are_wrong: bool = False) -> tuple[float, float]:
    """Wall seconds, and the grader's own peak memory in MB."""
    with a_class(n, are_wrong) as folder:
        command = [GRADER, "grade", folder / "class", "--gradebook", folder / "gradebook.sqlite",
                   "--jobs", str(JOBS), "--reference", "gpt2-tiny"]  # fmt: skip
        with open(folder / "said", "w+") as output:
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=output, env=ENVIRONMENT)
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, peak_memory(process.pid))
                time.sleep(0.02)
            seconds = time.perf_counter() - began
        said = (folder / "said").read_text()
        if process.returncode or f" {n} graded, 0 unchanged" not in said:
            sys.exit(f"grading failed:\n{said}")
        return seconds, peak


def peak_memory(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(x.split()[1]) for x in lines if x.startswith("VmHWM:")) / 1000


def in_turn(n: int, start: Callable[[int], Callable[[], None]], at_a_time: int = JOBS) -> float:
    """Wall seconds of n pieces of work; `start` begins one and gives what waits for its end."""
    began = time.perf_counter()
    running: list[Callable[[], None]] = []
    for i in range(n):
        running.append(start(i))
        if len(running) == at_a_time:
            running.pop(0)()
    for wait in running:
        wait()
    return time.perf_counter() - began


def pytest_each(n: int, at_a_time: int) -> float:
    with a_class(n) as folder:

        def start(i: int) -> Callable[[], None]:
            submission = folder / "class" / f"student{i:05}"
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "exercises", "--answers", submission,
                 "--reference", "gpt2-tiny", "-q", "-p", "no:cacheprovider"],
                cwd=ROOT, stdout=subprocess.DEVNULL, env=ENVIRONMENT,
            )  # fmt: skip

            def wait() -> None:
                if process.wait():
                    sys.exit("a solved submission does not pass pytest")

            return wait

        return in_turn(n, start, at_a_time)


def bare_forks(n: int) -> float:
    import torch

    from grader import lessons
    from grader.inside import remember
    from grader.inside.fixtures import Fixtures
    from grader.inside.run import Raised, observation
    from grader.inside.run import load as run_file
    from grader.verdict import load
    from grader.verdict.exercise import PUBLIC_SEED
    from grader.verdict.grade import questions

    torch.set_num_threads(1)
    fixtures = Fixtures("gpt2-tiny", "cpu")
    remember.Passes(fixtures.reference)
    asked = [
        (lesson, check, list(questions(check, getattr(solution, e.name), [PUBLIC_SEED], fixtures)))
        for lesson in lessons.names()
        for solution in [load.solution(lesson)]
        for e in load.exercises(lesson)
        for check in e.checks
    ]

    def run(submission: Path) -> None:
        modules = {
            lesson: run_file(submission / f"{lesson}.py").module for lesson in lessons.names()
        }
        for lesson, check, questions_ in asked:
            function = getattr(modules[lesson], check.exercise)
            for question in questions_:
                args, kwargs = question.case.arguments()
                seen = observation(check.observe, function, args, kwargs, check.forbids)
                assert not isinstance(seen, Raised)

    with a_class(n) as folder:

        def start(i: int) -> Callable[[], None]:
            pid = os.fork()
            if not pid:
                status = 1
                try:
                    run(folder / "class" / f"student{i:05}")
                    status = 0
                finally:
                    os._exit(status)

            def wait() -> None:
                if os.waitpid(pid, 0)[1]:
                    sys.exit("a bare fork failed")

            return wait

        in_turn(JOBS, start)
        return in_turn(n, start)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--submissions", type=int, nargs="*", default=[20, 200, 2000])
    parser.add_argument("--rounds", type=int, default=5, help="pytest runs, in pairs")
    parser.add_argument("--wrong", type=int, default=0, help="submissions of wrong answers")
    options = parser.parse_args()
    if shutil.which(str(GRADER)) is None:
        sys.exit(f"{GRADER} is not there; install the kit")

    grade(WARM_UP)  # the file cache
    short = min(grade(WARM_UP)[0] for _ in range(3))
    measured = {}
    for n in options.submissions:
        seconds, peak = grade(n)
        measured[n] = (seconds - short) / (n - WARM_UP)
        print(
            f"grader grade, {n:>5} submissions {seconds:8.1f} s   {seconds / n:6.3f} s each, "
            f"{measured[n]:.3f} s without the start   peak memory of the grader {peak:.0f} MB",
            flush=True,
        )
    if options.wrong:
        solved = (grade(options.wrong)[0] - short) / (options.wrong - WARM_UP)
        begun = grade(WARM_UP, are_wrong=True)[0]
        wrong = (grade(options.wrong, are_wrong=True)[0] - begun) / (options.wrong - WARM_UP)
        print(
            f"grader grade, {options.wrong:>5} of wrong answers  {wrong:.3f} s each without the "
            f"start, {wrong / solved:.2f} of the {solved:.3f} s of solved ones; the first "
            f"{WARM_UP} take {begun - short:.1f} s longer",
            flush=True,
        )
    if not options.submissions:
        return
    forks = bare_forks(100) / 100
    print(f"a bare fork per submission      {forks:6.3f} s each", flush=True)
    runs = JOBS * options.rounds
    fresh = pytest_each(options.rounds, 1) / options.rounds
    paired = pytest_each(runs, JOBS) / runs
    print(f"pytest exercises per submission {fresh:6.2f} s each, {paired:.2f} s two at a time")
    n = max(n for n in options.submissions if n <= 200) if options.submissions else 0
    print(f"\nratios, at {n} submissions; targets in brackets")
    print(f"pytest over grading             {fresh / measured[n]:6.1f}   [at least 40]")
    print(f"pytest, two at a time, over it  {paired / measured[n]:6.1f}")
    print(f"grading over a bare fork        {measured[n] / forks:6.2f}   [at most 2.5]")


if __name__ == "__main__":
    main()
