import inspect
import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Threads that wait for others do so asleep: else two workers on two cores wait for one another.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import pytest
import torch

from grader.inside import run
from grader.inside.fixtures import Fixtures
from grader.inside.reference import available_devices, cached_small
from grader.verdict import explain, load
from grader.verdict import grade as grading
from grader.verdict.answers import Answers
from grader.verdict.exercise import PUBLIC_SEED

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
# Of the test extra, what is imported here.
NEEDED = ("hypothesis", "matplotlib", "nbclient", "pexpect", "playwright", "xdist")


@pytest.fixture(autouse=True)
def _path(monkeypatch):
    """Answers that a test loads are not found by the next one's."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture(scope="session")
def fixtures():
    return load.Kept("gpt2-tiny", "cpu")


@pytest.fixture(scope="session")
def live_fixtures():
    """The same, where each input is run."""
    return Fixtures("gpt2-tiny", "cpu")


@pytest.fixture(scope="session", params=available_devices())
def reference(request):
    return Fixtures("gpt2-tiny", request.param).reference


@pytest.fixture(scope="session")
def tokenizer(fixtures):
    return fixtures.tokenizer


@pytest.fixture(scope="session")
def questions(fixtures):
    """questions(check, seed) -> its cases and what the solution does on them, computed once."""

    @cache
    def questions(check, seed):
        solution = getattr(load.solution(load.lesson_of(check.exercise)), check.exercise)
        return list(grading.questions(check, solution, [seed], fixtures))

    return questions


@pytest.fixture(scope="session")
def misconceptions():
    """What they do on the cases of `questions`, run once."""
    return explain.Misconceptions()


@pytest.fixture(scope="session")
def explained(questions, misconceptions):
    """explained(exercise, function, checks, or all, seed) -> why the function is wrong."""

    def explained(exercise, function, checks=None, seed=PUBLIC_SEED):
        folder = Path(inspect.getsourcefile(inspect.unwrap(function))).parent
        seen = [
            explain.Seen(
                check, asked.case, asked.expected, observed(check, function, asked, folder)
            )
            for check in checks or exercise.checks
            for asked in questions(check, seed)
        ]
        return explain.explanation(exercise, seen, misconceptions)

    def observed(check, function, asked, folder):
        args, kwargs = asked.case.arguments()
        return run.observation(check.observe, function, args, kwargs, folder=folder)

    return explained


@pytest.fixture(scope="session")
def grade(questions):
    """grade(check, implementation, seed) -> verdict."""
    return lambda check, function, seed: grading.grade(check, function, questions(check, seed))


@pytest.fixture(scope="session")
def judge(questions, fixtures, misconceptions):
    """judge(exercise, function, names of checks, or all) -> check -> what comes of it, as
    `pytest exercises` runs them, in this order."""

    class Asked(Answers):
        def questions(self, check, solution, seeds, fixtures):
            return [question for seed in seeds for question in questions(check, seed)]

    def judge(exercise, function, names=None):
        checks = {check.name: check for check in exercise.checks}
        answers = Asked("answers", {exercise.name: function})
        answers.misconceptions = misconceptions
        solution = getattr(load.solution(load.lesson_of(exercise.name)), exercise.name)
        return {
            name: answers.judge(exercise, checks[name], solution, fixtures)
            for name in names or checks
        }

    return judge


# A model as small as gpt2-tiny is no faster on several, and far slower beside other work.
torch.set_num_threads(1)


def pytest_configure(config):
    # pytest comes by here also where a path that it was given is not there.
    given = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    is_meant = any(p.is_relative_to(HERE) or HERE.is_relative_to(p) for p in given)
    missing = [name for name in NEEDED if find_spec(name) is None]
    if is_meant and missing:
        raise pytest.UsageError(
            f"These tests need what is not installed ({', '.join(missing)}). "
            'Run `pip install -e ".[test]"` in this clone first.'
        )
    # Of xdist: not the files with the most tests first, which are not those that take the longest.
    config.option.loadscopereorder = False
    config.addinivalue_line("markers", "gpt2_small: needs the weights of gpt2-small")
    config.addinivalue_line("markers", "thorough: takes minutes; runs with -m thorough only")


def pytest_collection_modifyitems(config, items):
    if not config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
    for item in items:
        if item.get_closest_marker("gpt2_small") and cached_small() is None:
            reason = "the weights of gpt2-small are not on this machine"
            item.add_marker(pytest.mark.skip(reason=reason))  # no weights, no figures


def pytest_sessionfinish():
    if "warm" in sys.modules:
        sys.modules["warm"].close()
