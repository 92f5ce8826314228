"""`grader grade` in this process. What takes seconds to load - the reference, what is asked of a
submission, the sandbox's servers - is kept from one class to the next, as it is kept from one
submission to the next. What the process itself is about (signals, memory, kills) takes a real one.
"""

import copy
import io
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from grader import cli, lessons
from grader.classroom import exams, grade_class, jobs, sandbox
from grader.classroom.exams import Exams
from grader.inside import fixtures, reference, remember
from grader.verdict import show

SERVERS = 4  # that are kept; each holds some 400 MB
_servers = {}

_fixtures = cache(fixtures.Fixtures)
_passes = cache(remember.Passes)


@cache
def _all_exams(fixtures_, seeds):
    return Exams(lessons.names(), fixtures_, seeds)


def _exams(chosen, fixtures_, seeds=()):
    """Of these lessons, whose large arguments are those of all: so one server will do."""
    some = copy.copy(_all_exams(fixtures_, tuple(seeds)))
    some.lessons = {lesson: some.lessons[lesson] for lesson in chosen}
    return some


def grade(folder, gradebook, *options, **environment):
    """`environment`: variables that are set meanwhile."""
    jobs_ = () if "--jobs" in options else ("--jobs", "1")
    with kept(), pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setitem(os.environ, name, value)
        return command("grade", folder, "--gradebook", gradebook, *jobs_, *options)


def command(*arguments):
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    code = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    said = []
    for stream in (out, err):
        stream.flush()
        said.append(stream.buffer.getvalue().decode("utf-8"))
    return SimpleNamespace(returncode=code, stdout=said[0], stderr=said[1])


@contextmanager
def kept():
    """And this process as it was, afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixtures, "Fixtures", _fixtures)
        patch.setattr(remember, "Passes", _passes)
        patch.setattr(exams, "Exams", _exams)
        patch.setattr(sandbox, "Sandbox", _server)
        patch.setattr(grade_class, "Jobs", _Jobs)
        with as_it_was():
            yield


@contextmanager
def as_it_was():
    """Without what grading sets for the whole process, afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((reference, "_only"), (show, "_fixed")):
            patch.setattr(module, name, getattr(module, name))
        threads = torch.get_num_threads()
        try:
            yield
        finally:
            torch.set_num_threads(threads)


class _Jobs(jobs.Jobs):
    def __exit__(self, *exception):
        """Leaves the servers as they are, for the next class."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=60)


class _Server(sandbox.Sandbox):
    def start(self):
        if self._control is None:
            super().start()


def _server(setup, job, n):
    """One like it that is there, or a new one, which will do for other lessons, too."""
    setup = replace(setup, fixtures=["bos_tokenizer", "reference", "tokenizer"], turns=50)
    key = (setup.walls, setup.checkpoint, setup.device, id(setup.large), setup.limits, job, n)
    if key not in _servers:
        while len(_servers) >= SERVERS:
            _servers.pop(next(iter(_servers))).close()
        _servers[key] = _Server(setup, job, n)
    return _servers[key]


def close():
    while _servers:
        _servers.popitem()[1].close()
