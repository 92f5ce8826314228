"""Why an answer is wrong, on an exercise made for it."""

import textwrap

import pytest
import torch

from grader.inside import observe, run
from grader.verdict import explain
from grader.verdict.exercise import Case, Exercise
from grader.verdict.explain import Misconceptions, Seen

scale = Exercise("scale")


@scale.check(points=1)
def positive(draw):
    """Twice each entry."""
    yield from (Case(torch.tensor(row)) for row in ([1.0, 2.5], [3.0, 0.7, 5.1], [0.3, 8.2]))


@scale.check(points=1)
def negative(draw):
    """Also where an entry is below zero."""
    yield from (Case(torch.tensor(row)) for row in ([-1.0, 2.0], [3.0, -0.5, -2.5], [-0.3, -8.0]))


@scale.check(points=1)
def empty(draw):
    """Nothing of nothing."""
    yield Case(torch.tensor([]))


@scale.check(points=1, observe=observe.arguments_after)
def leaves_it_alone(draw):
    """What it was given still holds what it held."""
    yield Case(torch.tensor([1.0, 2.0]))


def solution(x):
    return 2 * x


@scale.misconception
def clamped(x):
    """Entries below zero cut off.

    A negative number has a double, too. What does clamp do to it?
    """
    return 2 * x.clamp(min=0)


@scale.misconception
def in_place(x):
    """The tensor doubled where it lies.

    The caller may still need it. What would make a new one?
    """
    return x.mul_(2)


@scale.misconception
def tripled(x):
    """Three times each entry.

    How often is an entry added to itself to make it twice as large?
    """
    return 3 * x


@scale.misconception
def first_taken(x):
    """A first entry taken for granted.

    Nothing has no first entry. What should come back then?
    """
    return 2 * x if x[0] == x[0] else x


CASES = [
    (check, case, run.observation(check.observe, solution, *case.arguments()))
    for check in scale.checks
    for case in check.cases(0, None)
]


def explained(answer):
    seen = [
        Seen(check, case, expected, run.observation(check.observe, answer, *case.arguments()))
        for check, case, expected in CASES
    ]
    return explain.explanation(scale, seen, Misconceptions())


def causes(answer):
    found = explained(answer)
    return [getattr(c, "implementation", c) for c in found.causes] if found else None


@pytest.mark.parametrize("misconception", scale.misconceptions)
def test_each_is_named_by_itself(misconception):
    found = explained(misconception.implementation)
    assert found.causes == (misconception,)
    assert found.is_sure
    assert found.heading == f"This looks like: {misconception.name}."
    assert found.says == [misconception.says]


def test_two_at_once_are_named_in_the_order_of_the_checks_that_show_them():
    def both(x):
        x[:] = 2 * x.clamp(min=0)
        return x

    assert causes(both) == [clamped, in_place]
    assert explained(both).heading == (
        "This looks like two things at once: entries below zero cut off; and the tensor doubled "
        "where it lies."
    )
    assert explained(both).name == "entries below zero cut off; the tensor doubled where it lies"


def test_what_two_make_together_and_neither_alone_needs_no_explanation():
    def both(x):
        return 3 * x.clamp(min=0)

    together = Case(torch.tensor([-4.0, -3.0, 2.0]))
    seen = [
        Seen(check, case, solution(*case.arguments()[0]), both(*case.arguments()[0]))
        for check, case, _ in CASES[:6]
    ]
    alone = Seen(scale.checks[1], together, torch.tensor([-8.0, -6.0, 4.0]), torch.zeros(3))
    found = explain.explanation(scale, [*seen, alone], Misconceptions())
    assert [cause.implementation for cause in found.causes] == [tripled, clamped]


def test_a_misconception_that_is_wrong_where_the_answer_is_right_is_out():
    def right_but_for_one(x):
        return 2 * x.clamp(min=0) if (x == -8).any() else 2 * x

    assert clamped not in (causes(right_but_for_one) or [])


def test_exceptions_agree_by_type_not_by_their_words():
    def next_of_nothing(x):
        if not x.tolist():
            raise IndexError("other words altogether")
        return 2 * x

    def of_another_type(x):
        if not x.tolist():
            raise KeyError("other words altogether")
        return 2 * x

    assert causes(next_of_nothing) == [first_taken]
    assert causes(of_another_type) is None


def test_one_line_that_raises_is_one_mistake(tmp_path):
    """Not the one that would have raised on a part of what it does."""
    path = tmp_path / "answers.py"
    path.write_text(
        "def answer(x):\n    if x.numel() != 2:\n        raise IndexError\n    return 2 * x\n"
    )
    answer = vars(run.load(path).module)["answer"]
    seen = [
        Seen(
            check, case, expected,
            run.observation(check.observe, answer, *case.arguments(), folder=tmp_path),
        )
        for check, case, expected in CASES
    ]  # fmt: skip
    assert explain.explanation(scale, seen, Misconceptions()) is None


def test_a_name_that_explains_little_is_given_with_reserve_or_not_at_all():
    def half(x):
        if not x.numel() or x.numel() == 2:
            return 2 * x.clamp(min=0)
        return x * x + 7

    found = explained(half)
    assert not found.is_sure
    assert found.heading == "On some inputs it does the same as: entries below zero cut off."
    assert found.name == "in part: entries below zero cut off"
    assert explained(lambda x: x * x + 7 + torch.arange(len(x))) is None


def test_a_right_form_of_what_a_misconception_makes_is_two_things_at_once():
    def both(x):
        return (2 * x.clamp(min=0)).tolist()

    found = explained(both)
    assert found.causes[0].implementation is clamped
    assert found.causes[1].name == "the right values in a list"


pairs = Exercise("pairs")


@pairs.check(points=1)
def letters(draw):
    """Each letter with its place."""
    yield from (Case(word) for word in ("ab", "xyz", "word"))


@pairs.misconception
def counted_from_one(word):
    """Places counted from 1.

    Where does Python begin to count, and where should you?
    """
    return [(letter, i) for i, letter in enumerate(word, 1)]


@pairs.misconception
def capitals(word):
    """Letters made capitals.

    What does upper do to a letter that is small already?
    """
    return [(letter.upper(), i) for i, letter in enumerate(word)]


def test_mistakes_in_two_parts_of_every_result_are_told_apart():
    def both(word):
        return [(letter.upper(), i) for i, letter in enumerate(word, 1)]

    seen = [
        Seen(check, case, [*map(tuple, map(reversed, enumerate(word)))], both(word))
        for check in pairs.checks
        for case in check.cases(0, None)
        for word in [case.plain()["args"][0]]
    ]
    found = explain.explanation(pairs, seen, Misconceptions())
    assert {cause.implementation for cause in found.causes} == {counted_from_one, capitals}


# --- The case that is shown ----------------------------------------------------------------------


def test_the_case_shown_is_the_one_that_shows_the_mistake_best(judge):
    """The smallest one on which what is named departs the furthest."""
    from grader.checks.lesson3_logits.log_softmax import log_softmax

    def no_maximum_last_dim(x, dim):
        return x - x.exp().sum(-1, keepdim=True).log()

    came = judge(log_softmax, no_maximum_last_dim)
    assert came["any_dim"].verdict.case.arguments()[1]["dim"] not in (-1, 1)
    assert "inf" in str(came["large_logits"].verdict.observed)


# --- Others that an answer calls -----------------------------------------------------------------

HELPED = """
import torch

def log_softmax(x, dim):
    return x - x.exp().sum(dim, keepdim=True).log(){mended}

def target_log_probs(logits, tokens):
    return log_softmax(logits[:, :-1], -1).gather(-1, tokens[:, 1:, None])[..., 0]

def cross_entropy(logits, tokens, attention_mask):
    losses, mask = -target_log_probs(logits, tokens), attention_mask[:, 1:]
    return {mean}
"""
RIGHT = "losses[mask == 1].mean()"
OF_ROWS = "((losses * mask).sum(1) / mask.sum(1)).mean()"
BEGIN = "It calls log_softmax, which is not right yet: begin there."


def answers(tmp_path, mean):
    from grader.verdict.answers import AnswersFile

    path = tmp_path / "lesson3_logits.py"
    path.write_text(HELPED.format(mean=mean, mended=""))
    return AnswersFile(path)


def heading(answers, exercise, fixtures):
    from grader.verdict import load

    [found] = [e for e in load.exercises("lesson3_logits") if e.name == exercise]
    solution = getattr(load.solution("lesson3_logits"), exercise)
    judged = [answers.judge(found, check, solution, fixtures) for check in found.checks]
    said = [one.feedback for one in judged if one.explanation is not None]
    return said[0].partition("\n")[0] if said else None


def test_a_helper_that_is_wrong_itself_is_said_first(tmp_path, fixtures):
    theirs = answers(tmp_path, RIGHT)
    assert heading(theirs, "target_log_probs", fixtures) == BEGIN
    assert heading(theirs, "cross_entropy", fixtures) == BEGIN
    name = "log-softmax without the maximum taken out"
    assert heading(theirs, "log_softmax", fixtures) == f"This looks like: {name}."


def test_what_is_left_beside_a_wrong_helper_is_named(tmp_path, fixtures):
    said = heading(answers(tmp_path, OF_ROWS), "cross_entropy", fixtures)
    assert said == f"{BEGIN} This looks like: a mean of the rows' means."


def test_a_helper_is_put_back_as_it_was(tmp_path, fixtures):
    theirs = answers(tmp_path, RIGHT)
    before = dict(theirs.functions)
    heading(theirs, "cross_entropy", fixtures)
    assert dict(theirs.functions) == before


def test_the_sandbox_says_the_same_of_helpers(tmp_path):
    from bookkeeping import rows
    from warm import grade as grade_class

    student = tmp_path / "class" / "ada"
    student.mkdir(parents=True)
    (student / "lesson3_logits.py").write_text(HELPED.format(mean=OF_ROWS, mended=""))
    grade_class(tmp_path / "class", tmp_path / "gradebook.sqlite")
    found = [row for row in rows(tmp_path / "gradebook.sqlite") if row.feedback]
    said = {row.exercise: row.feedback.partition("\n")[0] for row in reversed(found)}
    assert said["target_log_probs"].startswith(BEGIN)
    assert said["cross_entropy"].startswith(f"{BEGIN} This looks like")
    assert "a mean of the rows' means" in said["cross_entropy"]


@pytest.mark.parametrize(
    ("body", "called"),
    [
        ("return log_softmax(x, 0)", ["log_softmax"]),
        ("return mine(x)", ["softmax"]),
        ("return [softmax(row, 0) for row in x]", ["softmax"]),
        ("return f(x)", []),
        ("return x.log_softmax(0) + torch.softmax(x, 0)", []),
        ("return x", []),
    ],
)
def test_which_others_an_answer_calls(tmp_path, body, called):
    path = tmp_path / "answers.py"
    path.write_text(
        textwrap.dedent(f"""
        import torch
        from torch import log_softmax as f
        def softmax(x, dim): return x
        def log_softmax(x, dim): return softmax(x, dim) if dim else x
        def mine(x): return softmax(x, 0) if len(x) else answer(x)
        @torch.no_grad()
        def answer(x):
            {body}
        """)
    )
    names = vars(run.load(path).module)
    found = run.called(names["answer"], ["softmax", "log_softmax", "answer"])
    assert [name for name in found if name in called] == called
    assert set(found) <= {*called, "softmax"}


def test_a_function_that_is_wrapped_in_itself_calls_nothing():
    def answer(x):
        return x

    answer.__wrapped__ = answer
    assert run.called(answer, ["answer"]) == {}
    assert run.code(answer) is None
