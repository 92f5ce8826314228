"""Mistakes that show in what came back, whatever the exercise."""

import pytest
import torch

from grader.inside import observe, run
from grader.inside.plain import Opaque
from grader.verdict import parts, patterns
from grader.verdict.exercise import Case, Exercise
from grader.verdict.explain import Seen

ROWS = [
    torch.tensor([[0.25, 2.5, -1.0], [3.5, 0.1, 7.3]]),
    torch.tensor([[1.5, -2.0], [0.3, 4.4], [5.5, 6.1]]),
    torch.tensor([[1.25, 9.5], [0.4, 3.3]]),
    torch.tensor([[8.5, 0.2, 0.3, 0.7], [1.1, 1.3, 2.9, 3.1], [4.7, 5.9, 6.3, 2.2]]),
]
WORDS = ["one three", "three four five", " six seven"]


def named(solution, answer, given, observe=observe.result):
    """The names of the patterns that an answer shows, where the solution is this one."""
    exercise = Exercise("any")

    @exercise.check(points=1, observe=observe)
    def check(draw):
        """Right."""
        yield from map(Case, given)

    seen = [
        Seen(exercise.checks[0], case, *(
            run.observation(observe, function, *case.arguments()) for function in (solution, answer)
        ))
        for case in exercise.checks[0].cases(0, None)
    ]  # fmt: skip
    return [found.pattern.name for found in patterns.found(seen)]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda x: print(2 * x), "a function without a `return`"),
        (lambda x: (2 * x).tolist(), "the right values in a list"),
        (lambda x: list(2 * x), "the right values in a list"),
        (lambda x: (2 * x).numpy(), "the right values in a numpy.ndarray"),
        (lambda x: (2 * x, "and more"), "the answer among other things"),
        (lambda x: (2 * x).flatten(), "the right entries in another shape"),
        (lambda x: (2 * x)[:, None], "the right entries in another shape"),
        (lambda x: 2 * x.T, "a transposed result"),
        (lambda x: 2 * x[0], "one row for a whole batch"),
        (lambda x: 2 * x[-1:], "one row for a whole batch"),
        (lambda x: 2 * x.flip(0), "the right entries in another order"),
        (lambda x: 3 * x, "the right result times 1.5"),
        (lambda x: -2 * x, "the right result with the wrong sign"),
        (lambda x: 2 * x + 1, "the right result plus 1"),
        (lambda x: 2 * x - 0.5, "the right result minus 0.5"),
        (lambda x: x, "an argument handed back as it came"),
        (lambda x: 2 * x + 1e-3, "nearly right, but not to the precision of its type"),
        (lambda x: 2 * x[:, :-1], "off by one: the same without the last entry"),
        (lambda x: (x - x.max(dim=1)) * 2, "values and indices taken for the values"),
        (lambda x: 2 * [].append(x), "None used as if it were a value"),
        (lambda x: 2 * x.item(), "a tensor of several entries taken for one number"),
        (lambda x: 2 * x if x > 0 else x, "a whole tensor asked whether it is true"),
        (lambda x: (x > 0).mean(), "the mean of truth values or integers"),
        (lambda x: (x * x).sum(), "one number where there should be one for each entry"),
        (lambda x: (x * x).flatten(), "a whole batch made one sequence"),
        (lambda x: (x * x)[None], "1 dimension too many"),
        (lambda x: torch.ones(2, 2), "the same result whatever it is given"),
    ],
)
def test_what_is_done_to_a_tensor_shows(answer, name):
    assert name in named(lambda x: 2 * x, answer, ROWS)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda text: tuple(text.split())[:-1], "off by one: the same without the last entry"),
        (lambda text: (word for word in text.split()), "the right values in a generator"),
        (lambda text: text.split()[::-1], "the right entries in another order"),
        (lambda text: [w for w in text.split() if len(w) > 3], "some entries missing, and the"),
        (lambda text: ["<s>", *text.split(), "</s>"], "the right entries, and some that should"),
        (lambda text: [w.encode() for w in text.split()], "the right values in another type"),
        (lambda text: text, "an argument handed back as it came"),
    ],
)
def test_what_is_done_to_a_list_shows(answer, name):
    found = named(str.split, answer, WORDS)
    assert any(one.startswith(name) for one in found), found


def test_text_as_the_vocabulary_displays_it_and_text_without_its_spaces():
    def spaced(text):
        return [f" {word}" for word in text.split()]

    assert "tokens as the vocabulary displays them" in named(
        spaced, lambda text: [f"Ġ{word}" for word in text.split()], WORDS
    )
    assert "text stripped of its spaces" in named(spaced, str.split, WORDS)


def test_counts_that_are_all_off_by_one():
    def count(text):
        return {letter: text.count(letter) for letter in sorted(set(text))}

    def one_less(text):
        return {letter: n - 1 for letter, n in count(text).items()}

    assert "the right result minus 1" in named(count, one_less, WORDS)


def test_a_pattern_is_denied_by_a_right_result_that_it_would_have_spoilt():
    def only_sometimes(x):
        return -2 * x if len(x) == 2 else 2 * x

    assert named(lambda x: 2 * x, only_sometimes, ROWS) == []


def test_two_numbers_are_too_few_to_show_a_factor():
    assert named(lambda x: x, lambda x: 3 * x, [torch.tensor(0.5), torch.tensor(0.7)]) == []


@pytest.mark.parametrize(
    ("observer", "answer", "name"),
    [
        (observe.arguments_after, lambda x: x.mul_(2), "an argument changed"),
        (observe.gradients, lambda x: 2 * x.detach(), "a result cut off from the gradient"),
        (observe.dtype, lambda x: 2 * x.double(), "a result of another dtype"),
    ],
)
def test_what_is_wrong_beside_the_result_shows(observer, answer, name):
    assert named(lambda x: 2 * x, answer, ROWS, observer) == [name]


def test_another_exception_than_the_one_promised():
    def solution(x):
        raise ValueError

    def answer(x):
        assert x.ndim == 1

    found = named(solution, answer, ROWS, observe.raises(ValueError))
    assert found == ["another exception than ValueError"]


@pytest.mark.parametrize(
    "odd",
    [
        torch.tensor([1j, 2j]),
        torch.zeros(3_000_000, dtype=torch.uint8),
        [1] * 300_000,
        [[1] * 100_000] * 2,
        dict.fromkeys(range(50000), "x"),
        "x" * 1_000_000,
        float("nan"),
        10**400,
    ],
)
def test_whatever_comes_back_can_be_looked_at(odd):
    """And what holds far more than was asked for is not looked at for long."""
    assert parts.within_reason(odd, torch.ones(2)) is odd or isinstance(
        parts.within_reason(odd, torch.ones(2)), Opaque
    )
    for solution in (lambda x: 2 * x, lambda x: x.tolist(), lambda x: {"a": 1, "b": 2}):
        for name in named(solution, lambda x: odd, ROWS):
            assert not name.startswith("the right")


def test_of_a_large_tensor_every_so_many_entries_tell():
    rows = [torch.randn(3, 50_000, generator=torch.Generator().manual_seed(i)) for i in range(3)]
    assert "the right result times 1.5" in named(lambda x: 2 * x, lambda x: 3 * x, rows)
    assert "the right entries in another shape" in named(
        lambda x: 2 * x, lambda x: 2 * x[:, None], rows
    )


def test_each_says_what_it_is_and_what_to_think_about():
    result = patterns.Result(None, torch.ones(2), [])
    said = [patterns.no_return(result).pattern, *patterns.BESIDE.values()]
    said += [pattern for _, _, pattern in patterns.COMPLAINTS if pattern is not None]
    for pattern in said:
        assert 10 <= len(pattern.name) <= 80
        assert 30 <= len(pattern.says) <= 320
        assert pattern.says[-1] in ".?"
