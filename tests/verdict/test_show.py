"""Text for people, whatever it is about."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.inside.plain import plain
from grader.verdict.show import clip, show, show_argument


@pytest.mark.parametrize(
    "value",
    [
        torch.zeros(1_000_000),
        torch.zeros(50, 50, 50, 3),
        torch.zeros(1, 1, 1, 1, 1, 1),
        "x" * 10_000_000,
        ["y" * 1000] * 1000,
        {i: list(range(100)) for i in range(1000)},
        10**4000,
        b"z" * 10_000,
        [[[[[[[[1]]]]]]]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_is_shown_on_a_few_lines(value):
    text = clip(show(plain(value)))
    assert text.count("\n") <= 12
    assert len(text) < 3000


@given(st.text(), st.integers(1, 5), st.integers(1, 10))
def test_clipped_text_fits(text, lines, width):
    got = clip(text, lines, width).split("\n")
    assert len(got) <= lines + 1
    assert all(len(line) <= width + 3 for line in got)


def test_a_tokenizer_that_adds_a_bos_is_shown_as_such(fixtures):
    assert show_argument(fixtures.tokenizer) == "<the GPT-2 tokenizer>"
    adding = "<the GPT-2 tokenizer, adding a BOS by itself>"
    assert show_argument(fixtures.bos_tokenizer) == adding


@pytest.mark.parametrize(
    "shape", [(2,) * 24, (1,) * 24, (3,) * 14, (2, 2, 10**6), (4,) * 5, (0,) * 9]
)
def test_a_tensor_of_many_dimensions_is_shown_in_part(shape):
    text = show(torch.zeros(shape, dtype=torch.bool))
    assert text.startswith("tensor([")
    assert len(text) < 2_000
