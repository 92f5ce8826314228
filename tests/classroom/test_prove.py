"""`grader doctor --prove`: what it tries, and what it says where something does not hold."""

import pytest

import warm
from grader.classroom import isolation, prove
from grader.classroom.prove import ATTEMPTS, Attempt
from handin import grader, needs_isolation

SOME = ("memory in children whose first thread has ended", "the network", "writing outside")
# What would come of attempts that no wall stops.
STOPPED_BY_NOTHING = {
    Attempt("to get it", ("wrong",), "print(GOT_IT)"): "it got what it wanted",
    Attempt("to earn it", ("passed",), "return (-log_probs.mean()).exp()"): "it got points",
    Attempt("to go on", ("timeout",), "return 0"): "wrong, and not timeout",
}


@pytest.fixture(scope="module")
def found():
    """What came of some, and of what nothing stops; in one class."""
    chosen = [one for one in ATTEMPTS if one.name in SOME]
    with warm.as_it_was():
        return prove.prove(isolation.bubblewrap(), [*chosen, *STOPPED_BY_NOTHING])


@needs_isolation
def test_walls_hold_here(found):
    assert [str(one) for one in found[: len(SOME)] if one.fault] == []
    assert {one.name for one in found[: len(SOME)]} == set(SOME)


@needs_isolation
def test_what_does_not_hold_is_found_and_said(found):
    assert [one.fault for one in found[len(SOME) :]] == list(STOPPED_BY_NOTHING.values())
    assert all(str(one).startswith("DOES NOT HOLD") for one in found[len(SOME) :])


@needs_isolation
def test_what_is_done_outside_is_found(tmp_path):
    with prove._outside(tmp_path) as outside:
        names = ("the network", "writing outside", "signals to others")
        assert [outside.found(name) for name in names] == ["", "", ""]
        outside.written[0].touch()
        outside.sockets[1].sendto(b"out", outside.sockets[1].getsockname())
        outside.victim.kill()
        outside.victim.wait()
        assert all(outside.found(name) for name in names)
    assert not outside.written[0].exists()


def test_a_wall_that_does_not_hold_is_one_line_and_exit_code_1(monkeypatch):
    monkeypatch.setattr(isolation, "bubblewrap", lambda: isolation.Bubblewrap("bwrap", "1"))
    held, broken = (
        prove.Finding("memory", "memory"),
        prove.Finding("the disk", "wrong", "it got it"),
    )
    monkeypatch.setattr(prove, "prove", lambda walls: [held, broken])
    ran = warm.command("doctor", "--prove")
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "1 of 2 walls do not hold on this machine (the disk)" in ran.stderr


def test_without_a_sandbox_one_line_says_so(monkeypatch):
    monkeypatch.setattr(isolation, "_find", lambda: None)
    ran = warm.command("doctor", "--prove")
    assert ran.returncode == 4
    assert ran.stdout == ""
    assert ran.stderr.count("\n") == 1


@needs_isolation
@pytest.mark.thorough
def test_all_walls_hold_here():
    ran = grader("doctor", "--prove")
    assert ran.stdout.count("\nholds ") == len(ATTEMPTS) >= 13
    assert f"All {len(ATTEMPTS)} walls hold on this machine." in ran.stdout
