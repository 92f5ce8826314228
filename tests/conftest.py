import importlib
from functools import cache

import pytest
import torch

from grader.inside.fixtures import Fixtures
from grader.inside.reference import available_devices, cached_small
from grader.verdict import grade as grading

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def fixtures() -> Fixtures:
    """The live things of an ordinary run on the embedded reference."""
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
        lesson = check.make_cases.__module__.split(".")[2]
        solution = getattr(importlib.import_module(f"solutions.{lesson}"), check.exercise)
        return list(grading.questions(check, solution, [seed], fixtures))

    return questions


@pytest.fixture(scope="session")
def grade(questions):
    """grade(check, implementation, seed) -> verdict."""
    return lambda check, function, seed: grading.grade(check, function, questions(check, seed))


# A model as small as gpt2-tiny is no faster on several, and far slower beside other work.
torch.set_num_threads(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "gpt2_small: needs the weights of gpt2-small")
    config.addinivalue_line("markers", "thorough: takes minutes; runs with -m thorough only")


def pytest_collection_modifyitems(config, items):
    if any(item.get_closest_marker("gpt2_small") for item in items) and cached_small() is None:
        reason = "the weights of gpt2-small are not on this machine"
        for item in items:
            if item.get_closest_marker("gpt2_small"):
                item.add_marker(pytest.mark.skip(reason=reason))  # no weights, no figures
    if not config.option.markexpr:
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
