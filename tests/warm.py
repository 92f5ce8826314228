"""`grader grade` in this process. What takes seconds to load - the reference, what is asked of a
submission, the sandbox's servers - is kept from one class to the next, as it is kept from one
submission to the next. What the process itself is about (signals, memory, kills) takes a real one.
"""

import io
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest
import torch

from grader import cli
from grader.classroom import exams, grade_class, jobs, sandbox
from grader.inside import fixtures, reference, remember
from grader.verdict import show

SERVERS = 3  # that are kept; each holds some 400 MB
_servers = {}

_fixtures = cache(fixtures.Fixtures)
_passes = cache(remember.Passes)
_exams = cache(exams.Exams)


def grade(folder, gradebook, *options, **environment):
    """`environment`: variables that are set meanwhile."""
    jobs_ = () if "--jobs" in options else ("--jobs", "1")
    with _kept(), pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setitem(os.environ, name, value)
        return command("grade", folder, "--gradebook", gradebook, *jobs_, *options)


def command(*arguments):
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


@contextmanager
def _kept():
    """And this process as it was, afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixtures, "Fixtures", _fixtures)
        patch.setattr(remember, "Passes", _passes)
        patch.setattr(exams, "Exams", lambda *given: _exams(*map(_hashable, given)))
        patch.setattr(sandbox, "Sandbox", _server)
        patch.setattr(grade_class, "Jobs", _Jobs)
        for module, name in ((reference, "_only"), (show, "_fixed")):
            patch.setattr(module, name, getattr(module, name))
        threads = torch.get_num_threads()
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _hashable(given):
    return tuple(given) if isinstance(given, list) else given


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
    large = id(setup.large) if setup.large else None
    key = (setup.walls, setup.checkpoint, setup.device, large, setup.limits, job, n)
    if key not in _servers:
        while len(_servers) >= SERVERS:
            _servers.pop(next(iter(_servers))).close()
        _servers[key] = _Server(setup, job, n)
    return _servers[key]


def close():
    while _servers:
        _servers.popitem()[1].close()
