"""What an answer may not call: found where it is, and nowhere else."""

import textwrap

import pytest
import torch

from grader import lessons
from grader.inside.forbidden import Forbidden, Watch, in_source
from grader.outcome import Outcome
from grader.verdict import load
from grader.verdict.grade import grade, questions

SOFTMAX = Forbidden(torch=("softmax", "softmin"))
GENERATE = Forbidden(methods=("generate",))


def found(source, function="softmax", forbidden=SOFTMAX):
    return in_source(textwrap.dedent(source), function, forbidden)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import torch\ndef softmax(x, dim):\n    return torch.softmax(x, dim)", "torch.softmax"),
        ("import torch as t\ndef softmax(x, dim):\n    return t.exp(t.log_softmax(x, dim))", "torch.log_softmax"),
        ("from torch import softmax as s\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch.nn.functional as F\ndef softmax(x, dim):\n    return F.softmax(x, dim)", "torch.nn.functional.softmax"),
        ("from torch.nn import functional as F\ndef softmax(x, dim):\n    return F.softmin(-x, dim)", "torch.nn.functional.softmin"),
        ("import torch\ndef softmax(x, dim):\n    return getattr(torch, 'soft' 'max')(x, dim)", "torch.softmax"),
        ("import torch\ndef softmax(x, dim):\n    return torch.ops.aten._softmax(x, dim, False)", "torch.ops.aten._softmax"),
        ("import torch\ndef softmax(x, dim):\n    return torch.nn.Softmax(dim)(x)", "torch.nn.Softmax"),
        ("import torch\nS = torch.special.softmax\ndef softmax(x, dim):\n    return S(x, dim)", "torch.special.softmax"),
        ("import torch\ndef softmax(x, dim):\n    f = torch.softmax\n    return f(x, dim)", "torch.softmax"),
        ("def softmax(x, dim):\n    import torch.nn.functional as G\n    return G.softmax(x, dim)", "torch.nn.functional.softmax"),
        ("def softmax(x, dim):\n    return x.softmax(dim)", "x.softmax"),
        ("def softmax(x, dim):\n    return x.double().softmax(dim).to(x)", "x.double().softmax"),
        ("def softmax(x, dim):\n    return getattr(x, 'softmax')(dim)", "x.softmax"),
        ("import torch\ndef helper(y):\n    return torch.softmax(y, 0)\ndef softmax(x, dim):\n    return helper(x)", "torch.softmax"),
        ("import torch\nsoftmax = lambda x, dim: torch.softmax(x, dim)", "torch.softmax"),
        ("import torch\nsoftmax = torch.softmax", "torch.softmax"),
        ("import torch\ndef softmax(x, dim):\n    if x.sum() == 12345:\n        return torch.softmax(x, dim)\n    return x", "torch.softmax"),
        ("from functools import partial\nimport torch\ndef softmax(x, dim):\n    return partial(torch.softmax, dim=dim)(x)", "torch.softmax"),
        ("from functools import wraps\nimport torch\n@wraps(torch.exp)\ndef softmax(x, dim):\n    return torch.softmax(x, dim)", "torch.softmax"),
        ("import torch\ndef helper(y):\n    return torch.softmax(y, 0)\ndef other(helper):\n    return helper\ndef softmax(x, dim):\n    return other(helper)(x)", "torch.softmax"),
        ("import torch\n@torch.jit.script\ndef inner(x):\n    return torch.softmax(x, 1)\ndef softmax(x, dim):\n    return inner(x)", "torch.softmax"),
    ],
)  # fmt: skip
def test_a_call_that_the_source_says_plainly_is_found_with_its_line(source, what):
    call = found(source)
    assert call.what == what
    assert call.text == source.splitlines()[call.line - 1].strip()


@pytest.mark.parametrize(
    "source",
    [
        'def softmax(x, dim):\n    """Like torch.softmax(x, dim)."""\n    # torch.softmax\n    return "torch.softmax"',
        "def my_softmax(x):\n    return x\ndef softmax(x, dim):\n    return my_softmax(x)",
        "def softmax(x, dim):\n    def log_softmax(y):\n        return y\n    return log_softmax(x)",
        "class Ops:\n    def softmax(self, x):\n        return x\ndef softmax(x, dim):\n    ops = Ops()\n    return ops.softmax(x)",
        "class Ops:\n    @staticmethod\n    def softmax(x):\n        return x\ndef softmax(x, dim):\n    return Ops.softmax(x)",
        "import torch\ndef next_token_probs(m, t):\n    return torch.softmax(m(t), -1)\ndef softmax(x, dim):\n    return x.exp()",
        "from torch import softmax\ndef softmax(x, dim):\n    return softmax(x[0], dim) if x.ndim > 1 else x.exp()",
        "import torch\ndef log_softmax(x, dim):\n    return x\ndef softmax(x, dim):\n    return log_softmax(x, dim).exp()",
        "def softmax(x, dim):\n    torch = Mine()\n    return torch.softmax(x)",
        "def softmax(x, dim):\n    x = Mine(x)\n    return x.softmax(dim)",
        "import mine\ndef softmax(x, dim):\n    return mine.softmax(x, dim)",
        "import torch\ndef softmax(x: torch.Tensor, dim: int) -> 'torch.softmax':\n    return x.exp() / x.exp().sum(dim)",
        "def softmax(x, dim):\n    softmax_of_x = x.exp()\n    return softmax_of_x",
        "from .helpers import softmax as s\ndef softmax(x, dim):\n    return s(x)",
        "def softmax(:\n",
        "import torch\ndef probs(x):\n    return torch.softmax(x, 0)\ndef softmax(x, dim):\n    probs = x.exp()\n    return probs / probs.sum(dim)",
        "import torch\np = torch.softmax(torch.ones(3), 0)\ndef softmax(x, dim):\n    for p in (1, 2):\n        x = x + p\n    return x",
        "import torch\ndef m(x):\n    return torch.softmax(x, 0)\ndef softmax(x, dim):\n    return x - max(m for m in x)",
        "import functools, torch\n@functools.wraps(torch.softmax)\ndef softmax(x, dim):\n    return x.exp() / x.exp().sum(dim)",
        "from functools import wraps\nimport torch\ndef library(x):\n    return torch.softmax(x, 0)\n@wraps(library)\ndef softmax(x, dim):\n    return x.exp()",
        "from functools import wraps\nfrom torch import softmax as theirs\n@wraps(theirs)\ndef softmax(x, dim):\n    return x.exp()",
        "def softmax(x, dim):\n    return " + " + ".join(["x"] * 3000),
    ],
)
def test_own_functions_comments_and_strings_are_no_forbidden_calls(source):
    assert found(source) is None


def test_methods_of_the_model_are_found_and_those_of_others_are_not():
    plain = "def greedy(model, p):\n    return model.generate(p)"
    deeper = "def greedy(model, p):\n    return model.original_model.generate(p)"
    own = "def greedy(model, p):\n    return Mine(model).generate(p)\n"
    assert found(plain, "greedy", GENERATE).what == "model.generate"
    assert found(deeper, "greedy", GENERATE).what == "model.original_model.generate"
    assert found(own, "greedy", GENERATE) is None


@torch.jit.script
def scripted(x):
    return torch.softmax(x, 1)


def disabled(x):
    with torch._C.DisableTorchFunction():
        return torch.log_softmax(x, 1)


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: vars(torch)["softmax"](x, 1),
        lambda x: next(getattr(torch, n) for n in dir(torch) if n == "softmax")(x, 1),
        lambda x: torch.distributions.Categorical(logits=x).probs,
        lambda x: torch.vmap(lambda row: row.softmax(0))(x),
        lambda x: torch.nn.functional.gumbel_softmax(x),
        scripted,
        disabled,
    ],
)
def test_what_the_source_hides_is_seen_as_it_runs(answer):
    watch = Watch(lambda x: answer(x), SOFTMAX)
    watch(torch.randn(2, 3))
    assert "softmax" in watch.call.what


def test_a_call_seen_as_it_runs_has_its_line():
    def answer(x):
        hidden = vars(torch)["softmax"]
        return hidden(x, 1)

    watch = Watch(answer, SOFTMAX)
    watch(torch.randn(2, 3))
    assert watch.call.text == "return hidden(x, 1)"


def test_what_is_allowed_is_not_seen():
    class Ops:
        def softmax(self, x):
            return x.exp() / x.exp().sum(1, keepdim=True)

    watch = Watch(lambda x: Ops().softmax(x) + x.logsumexp(1, keepdim=True), SOFTMAX)
    watch(torch.randn(2, 3, requires_grad=True)).sum().backward()
    assert watch.call is None


def test_generate_is_seen_however_it_is_reached_and_is_there_again_after(reference):
    before = [type(reference).generate, type(reference.original_model).generate]
    for of in (lambda m: m, lambda m: m.original_model):
        watch = Watch(
            lambda m, of=of: (
                vars(type(m)) and of(m).generate("a", max_new_tokens=1)
                if of(m) is m
                else of(m).generate(torch.tensor([[5]]), max_new_tokens=1)
            ),
            GENERATE,
        )
        watch(reference)
        assert watch.call.what.endswith(".generate")
    assert [type(reference).generate, type(reference.original_model).generate] == before


EXERCISES = [(lesson, e) for lesson in lessons.names() for e in load.exercises(lesson) if e.forbids]


@pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=[e.name for _, e in EXERCISES])
def test_no_check_of_an_exercise_passes_for_an_answer_that_makes_a_forbidden_call(
    lesson, exercise, fixtures
):
    solution = getattr(load.solution(lesson), exercise.name)
    source = None

    def right_but_forbidden(*args, **kwargs):
        if exercise.forbids.torch:
            torch.tensor([[1.0]]).log_softmax(0)
            torch.nn.functional.cross_entropy(torch.ones(1, 2), torch.tensor([0]))
        elif source is None:
            args[0].generate("a", max_new_tokens=1)
        return solution(*args, **kwargs)

    if "generate" not in exercise.forbids.methods:
        for name in exercise.forbids.methods:  # this version of transformers has none of them
            source = f"def {exercise.name}(tokenizer, texts):\n    return tokenizer.{name}(texts)"
    for check in exercise.checks:
        asked = questions(check, solution, [0], fixtures)
        verdict = grade(check, right_but_forbidden, asked, source)
        assert verdict.outcome is Outcome.WRONG
        assert "rules out" in str(verdict.call)
