"""Prose as markdown."""

import re

import pytest

from grader.notebooks import prose
from lesson_notebooks import LESSONS, lesson_book, of


def test_prose_becomes_markdown_with_its_mathematics():
    text = """\
Softmax
-------
By W_E and $t W_pos$, not `W_E`, in (`a_b`), d_vocab_out or x_(n-1):

    softmax(x)_i = exp(x_i) / sum_j exp(x_j)

    p(x_1), ..., p(x_n | x_1 ... x_(n-1))

    from a import b

    [ <- v -> ]

- a list

      of two

1. one
"""
    assert (
        prose.markdown(text)
        == r"""## Softmax

By $W_{E}$ and $t W_{\text{pos}}$, not `W_E`, in (`a_b`), $d_{\text{vocab\_out}}$ or $x_{n-1}$:

$$
\operatorname{softmax}(x)_{i} = \frac{\exp(x_{i})}{\sum_{j} \exp(x_{j})}
$$

$$
p(x_{1}), \dots, p(x_{n} \mid x_{1} \dots x_{n-1})
$$

```python
from a import b
```

```text
[ <- v -> ]
```

- a list

      of two

1. one"""
    )


@pytest.mark.parametrize("lesson", LESSONS[:4])
def test_the_lessons_formulas_are_mathematics(lesson):
    text = "\n".join(cell.source for cell in of(lesson_book(lesson), "prose"))
    outside = re.sub(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$", "", text, flags=re.DOTALL)
    assert not re.findall(r"\b[A-Za-z]_\w|[$\\]|sum_|\[:", outside)
    assert text.count("$$") == {"lesson3_logits": 6}.get(lesson, 0)
