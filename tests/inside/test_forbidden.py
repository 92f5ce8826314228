"""What an answer may not call: found where it is, and nowhere else."""

import copy
import functools
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest
import torch
import transformer_lens.utilities.lm_utils
import transformers

from grader import lessons
from grader.checks.lesson3_logits.shared import NORMALISES, PICKS
from grader.checks.lesson4_decoding.shared import GENERATES
from grader.inside import observe, run
from grader.inside.forbidden import UNREADABLE, Call, Forbidden, in_source
from grader.outcome import Outcome
from grader.verdict import load
from grader.verdict.grade import grade, questions

SOFTMAX = Forbidden(torch=NORMALISES)
CROSS_ENTROPY = Forbidden(torch=PICKS)
GENERATE = Forbidden(methods=GENERATES)


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
        ("import torch\nfrom typing import Any\ns: Any = torch.softmax\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("from typing import Any\nimport torch\nsoftmax: Any = torch.softmax", "torch.softmax"),
        ("import torch\n(e, s) = (torch.exp, torch.softmax)\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\ne, [s, *_] = torch.exp, (torch.softmax, 1, 2)\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\n*_, s = torch.exp, torch.amax, torch.softmax\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\na = b = torch.softmax\ndef softmax(x, dim):\n    return b(x, dim)", "torch.softmax"),
        ("from torch.nn.functional import *\ndef my(x):\n    return softmin(-x, 0)\ndef softmax(x, dim):\n    return my(x)", "torch.nn.functional.softmin"),
        ("from torch.nn.functional import *\ndef softmax(x, dim):\n    return torch.softmax(x, dim)", "torch.softmax"),
        ("import torch\nif (s := torch.softmax):\n    pass\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\ndef softmax(x, dim):\n    return (s := torch.softmax)(x, dim)", "torch.softmax"),
        ("import torch\nif torch.cuda.is_available():\n    pass\nelse:\n    s = torch.softmax\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("try:\n    from torch import softmax as s\nexcept ImportError:\n    s = None\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\nwith torch.no_grad() as _:\n    s = torch.softmax\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\nfor s in [torch.softmax]:\n    pass\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\ndef softmax(x, dim, f=torch.softmax):\n    return f(x, dim)", "torch.softmax"),
        ("import torch\ndef softmax(x, dim, *, f=torch.softmax):\n    return f(x, dim)", "torch.softmax"),
        ("import functools, torch\ns = functools.partial(torch.softmax, dim=1)\ndef softmax(x, dim):\n    return s(x)", "torch.softmax"),
        ("import torch\nOPS = {'s': torch.softmax}\ndef softmax(x, dim):\n    return OPS['s'](x, dim)", "torch.softmax"),
        ("import torch\nOPS = [torch.softmax]\ndef softmax(x, dim):\n    return OPS[0](x, dim)", "torch.softmax"),
        ("import torch\ns = lambda *given: torch.softmax(*given)\ndef softmax(x, dim):\n    return s(x, dim)", "torch.softmax"),
        ("import torch\nclass Ops:\n    s = torch.softmax\ndef softmax(x, dim):\n    return Ops.s(x, dim)", "torch.softmax"),
        ("import torch\nasync def helper(x):\n    return torch.softmax(x, 0)\ndef softmax(x, dim):\n    return helper(x).send(None)", "torch.softmax"),
        ("def softmax(*given):\n    return given[0].softmax(given[1])", "given[0].softmax"),
        ("def softmax(x, *, dim):\n    return x.log_softmax(dim).exp()", "x.log_softmax"),
        ("from torch.distributions import Categorical\ndef softmax(x, dim):\n    return Categorical(logits=x).probs", "torch.distributions.Categorical"),
        ("import torch.nn.functional as F\ndef softmax(x, dim):\n    return F.scaled_dot_product_attention(x, x, x)", "torch.nn.functional.scaled_dot_product_attention"),
        ("from torch import nn\ndef softmax(x, dim):\n    return nn.MultiheadAttention(4, 1)(x, x, x)[1]", "torch.nn.MultiheadAttention"),
        ("import torch\ndef softmax(x, dim):\n    return torch.nn.AdaptiveLogSoftmaxWithLoss(4, 4, [2])(x)", "torch.nn.AdaptiveLogSoftmaxWithLoss"),
        ("from scipy.special import softmax as s\ndef softmax(x, dim):\n    return s(x.numpy(), dim)", "scipy.special.softmax"),
        ("import torch\nx = 1\ndef softmax(x, dim):\n    return torch.softmax(x, dim)" + " + 0" * 2000, "torch.softmax"),
        ("import torch\n@torch.jit.script\ndef inner(x):\n    return torch.softmax(x, 1)\ndef softmax(x, dim):\n    return inner(x)", "torch.softmax"),
    ],
)  # fmt: skip
def test_a_call_that_the_source_says_plainly_is_found_with_its_line(source, what):
    call = found(source)
    assert call.what == what
    assert call.text == source.splitlines()[call.line - 1].strip()[:200]


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
        "def softmax(x, dim):\n    return " + " + ".join(["x"] * 2000),
        "def softmax(x, dim):\n    return x" + ".T" * 2000,
        "def softmax(x, dim):\n    return x.exp()\nif __name__ == '__main__':\n    from torch import softmax",
        "import torch\ndef s(x):\n    return x\nif torch.cuda.is_available():\n    s = torch.softmax\ndef softmax(x, dim):\n    return s(x)",
        "from torch.nn.functional import *\ndef softmax(x, dim):\n    return relu(x)",
        "from mine import *\ndef softmax(x, dim):\n    return log_softmax(x)",
        "import torch\ne, s = torch.exp, torch.softmax\ndef softmax(x, dim):\n    return e(x)",
        "import transformers\ndef softmax(x, dim):\n    return transformers.set_seed(0)",
    ],
)
def test_own_functions_comments_and_strings_are_no_forbidden_calls(source):
    assert found(source) is None


TOO_DEEP = " + ".join(["x"] * 5000)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (f"def softmax(x, dim):\n    return {TOO_DEEP}", 1),
        (f"import torch\n@torch.no_grad()\n@torch.no_grad()\ndef softmax(x, dim):\n    return {TOO_DEEP}", 2),
        (f"import torch\n\nsoftmax = lambda x, dim: {TOO_DEEP}", 3),
        (f"A = 1\nif A:\n    def helper(x):\n        return {TOO_DEEP}\nelse:\n    pass\ndef softmax(x, dim):\n    return helper(x)", 2),
        (f"# said (\nTEXT = '''\ndef softmax(\n'''\nn: int = {TOO_DEEP}\ndef softmax(x, dim):\n    return x + n", 5),
    ],
)  # fmt: skip
def test_a_source_that_is_nested_too_deep_cannot_be_read_and_says_where(source, line):
    call = found(source)
    assert (call.what, call.line) == (UNREADABLE, line)
    assert f"line {line} is nested too deep" in str(call)
    assert "several statements" in str(call)
    assert len(str(call)) < 500


@pytest.mark.parametrize(
    "source",
    [
        f"def other(x):\n    return {TOO_DEEP}\ndef softmax(x, dim):\n    return x.exp()",
        f"def softmax(x, dim):\n    return x.exp()\nsoftmax(1, {TOO_DEEP})",
        f"def softmax(x, dim):\n    return x.exp()\nprint(softmax(x={TOO_DEEP}))",
    ],
)
def test_what_is_too_deep_elsewhere_keeps_nothing_from_being_read(source):
    assert found(source) is None
    assert found(source.replace("x.exp()", "x.softmax(dim)")).what == "x.softmax"


def test_methods_of_the_model_are_found_and_those_of_others_are_not():
    plain = "def greedy(model, p):\n    return model.generate(p)"
    deeper = "def greedy(model, p):\n    return model.original_model.generate(p)"
    other = "def greedy(model, p):\n    return list(model.generate_stream(p))"
    library = (
        "from transformers import GenerationMixin as G\n"
        "def greedy(model, p):\n    return G.generate(model.original_model, p)"
    )
    own = "def greedy(model, p):\n    return Mine(model).generate(p)\n"
    assert found(plain, "greedy", GENERATE).what == "model.generate"
    assert found(deeper, "greedy", GENERATE).what == "model.original_model.generate"
    assert found(other, "greedy", GENERATE).what == "model.generate_stream"
    assert found(library, "greedy", GENERATE).what == "transformers.GenerationMixin.generate"
    assert found(own, "greedy", GENERATE) is None


@torch.jit.script
def scripted(x):
    return torch.softmax(x, 1)


def disabled(x):
    with torch._C.DisableTorchFunction():
        return torch.log_softmax(x, 1)


def in_thread(x):
    given = []
    thread = threading.Thread(target=lambda: given.append(hidden("softmax")(x, 1)))
    thread.start()
    thread.join()
    return given[0]


def in_thread_of_a_class(x):
    class Mine(threading.Thread):
        def run(self):
            self.given = hidden("softmax")(x, 1)

    thread = Mine()
    thread.start()
    thread.join()
    return thread.given


def in_pool(x):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(hidden("softmax"), x, 1).result()


def in_another_pool(x):
    with ThreadPool(1) as pool:
        return pool.apply(hidden("softmax"), (x, 1))


def scripted_in_thread(x):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(scripted, x).result()


class Late(torch.Tensor):
    """Works when it is looked at."""

    @staticmethod
    def __new__(cls, x):
        made = torch.Tensor._make_wrapper_subclass(cls, x.shape, dtype=x.dtype)
        made.x = x
        return made

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return hidden("softmax")(args[0].x, 1)


def hidden(name, of=torch):
    return vars(of)[name]


def seen(answer, forbidden, *args, look=observe.result):
    """The call for which an observation of an answer is given up, if it is."""
    came = run.observation(look, lambda *args: answer(*args), args, {}, forbidden)
    return came if isinstance(came, Call) else None


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda x: hidden("softmax")(x, 1), "softmax"),
        (lambda x: functools.partial(hidden("softmax"), dim=1)(x), "softmax"),
        (lambda x: next(map(hidden("softmax"), [x], [1])), "softmax"),
        (lambda x: next(getattr(torch, n) for n in dir(torch) if n == "softmax")(x, 1), "softmax"),
        (lambda x: torch.vmap(lambda row: row.softmax(0))(x), "softmax"),
        (lambda x: torch.nn.functional.gumbel_softmax(x), "softmax"),
        (lambda x: torch.ops.aten._softmax(x, 1, False), "softmax"),
        (lambda x: torch._C._special.special_softmax(x, 1), "softmax"),
        (lambda x: torch.masked.softmax(x, 1), "softmax"),
        (lambda x: torch._refs.softmax(x, 1), "softmax"),
        (lambda x: torch.sparse.softmax(x.to_sparse(), 1).to_dense(), "softmax"),
        (lambda x: torch.nn.Softmax2d()(x[None, :, None]), "Softmax2d"),
        (lambda x: torch.distributions.Categorical(logits=x).probs, "Categorical"),
        (lambda x: torch.distributions.OneHotCategorical(logits=x).logits, "Categorical"),
        (lambda x: torch.distributions.utils.logits_to_probs(x), "logits_to_probs"),
        (lambda x: torch.nn.functional.scaled_dot_product_attention(x, x, x), "attention"),
        (lambda x: torch.nn.MultiheadAttention(3, 1)(x, x, x)[1], "Attention"),
        (lambda x: torch.nn.TransformerEncoderLayer(3, 1, 4).eval()(x), "Attention"),
        (lambda x: -torch.nn.CrossEntropyLoss(reduction="none")(x, torch.tensor([0, 1])), "Cross"),
        (scripted, "softmax"),
        (disabled, "softmax"),
        (in_thread, "softmax"),
        (in_thread_of_a_class, "softmax"),
        (in_pool, "softmax"),
        (in_another_pool, "softmax"),
        (scripted_in_thread, "softmax"),
    ],
)
def test_what_the_source_hides_is_seen_as_it_runs(answer, word):
    assert word in seen(answer, SOFTMAX, torch.randn(2, 3)).what


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda x, t: hidden("cross_entropy", torch.nn.functional)(x, t), "cross_entropy"),
        (lambda x, t: torch.nn.NLLLoss()(x.log_softmax(1), t), "NLLLoss"),
        (lambda x, t: hidden("kl_div", torch.nn.functional)(x.log_softmax(1), x), "kl_div"),
        (lambda x, t: torch.nn.KLDivLoss()(x.log_softmax(1), x), "KLDivLoss"),
        (lambda x, t: torch.nn.MultiLabelSoftMarginLoss()(x, x), "Loss"),
        (lambda x, t: torch.distributions.Categorical(logits=x).log_prob(t), "Categorical"),
        (lambda x, t: transformer_lens.utilities.lm_utils.lm_cross_entropy_loss(x[None], t[None]), "lm_cross_entropy_loss"),
    ],
)  # fmt: skip
def test_so_is_every_loss_of_a_library_where_one_is_asked_for(answer, word):
    assert word in seen(answer, CROSS_ENTROPY, torch.randn(2, 3), torch.tensor([0, 1])).what


def test_log_softmax_is_no_loss():
    picked = lambda x, t: -x.log_softmax(1).gather(1, t[:, None]).mean()  # noqa: E731
    assert seen(picked, CROSS_ENTROPY, torch.randn(2, 3), torch.tensor([0, 1])) is None


def test_a_call_seen_as_it_runs_has_its_line():
    def answer(x):
        found = hidden("softmax")
        return found(x, 1)

    def elsewhere(x):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(hidden("softmax"), x, 1).result()

    x = torch.randn(2, 3)
    for one, line in (
        (answer, "return found(x, 1)"),
        (torch.no_grad()(answer), "return found(x, 1)"),
        (elsewhere, 'return pool.submit(hidden("softmax"), x, 1).result()'),
    ):
        call = run.observation(observe.result, one, [x], {}, SOFTMAX)
        assert call.text == line


@pytest.mark.parametrize("look", [observe.result, observe.gradients])
def test_what_is_put_off_until_it_is_looked_at_is_seen_or_never_done(look):
    x = torch.randn(2, 3)
    came = run.observation(look, lambda x: Late(x), [x], {}, SOFTMAX)
    assert isinstance(came, Call) or "Late" in str(came) or came == "a result without a gradient"


def test_a_thread_that_was_there_before_is_watched(tmp_path):
    path = tmp_path / "lesson.py"
    path.write_text(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "import torch\n"
        "pool = ThreadPoolExecutor(1)\n"
        "pool.submit(print).result()\n"
        "def softmax(x, dim):\n"
        "    return pool.submit(vars(torch)['softmax'], x, dim).result()\n"
    )
    module = run.load(path).module
    try:
        call = run.observation(observe.result, module.softmax, [torch.ones(2), 0], {}, SOFTMAX)
        assert (call.what, call.line) == ("PyTorch's softmax", 6)
        plain = run.observation(observe.result, module.softmax, [torch.ones(2), 0], {}, Forbidden())
        assert isinstance(plain, torch.Tensor)  # what is not forbidden elsewhere
    finally:
        module.pool.shutdown()


def test_threads_start_as_ever_when_nobody_watches():
    before = vars(threading).copy()
    seen(in_pool, SOFTMAX, torch.randn(2, 3))
    assert [k for k, v in before.items() if vars(threading).get(k) is not v] == []


def test_what_is_allowed_is_not_seen():
    class Ops:
        def softmax(self, x):
            return x.exp() / x.exp().sum(1, keepdim=True)

    def attention(x):
        return Ops().softmax(x) + x.logsumexp(1, keepdim=True)

    def in_threads(x):
        with ThreadPoolExecutor(2) as pool:
            return sum(pool.map(attention, [x, x]))

    x = torch.randn(2, 3)
    for answer in (attention, in_threads, lambda x: x - x.amax(1, keepdim=True)):
        for look in (observe.result, observe.dtype, observe.gradients, observe.arguments_after):
            assert seen(answer, SOFTMAX, x, look=look) is None


# --- Generating ----------------------------------------------------------------------------------

GREEDY = {"max_new_tokens": 1, "do_sample": False}
TOKENS = torch.tensor([[50256, 464]])


def inherited(model, tokens):
    class Mine(type(model)):
        def generate(self, *args, **kwargs):
            return super().generate(*args, **kwargs)

    mine = copy.copy(model)
    mine.__class__ = Mine
    return mine.generate(tokens, **GREEDY, verbose=False)


FOUND_EARLIER = transformers.GenerationMixin.generate


@pytest.mark.parametrize(
    "answer",
    [
        lambda m, t: m.generate(t, **GREEDY, verbose=False),
        lambda m, t: list(m.generate_stream(t, **GREEDY, verbose=False)),
        lambda m, t: m.hf_generate(t, **GREEDY),
        lambda m, t: m.original_model.generate(t, **GREEDY),
        lambda m, t: transformers.GenerationMixin.generate(m.original_model, t, **GREEDY),
        lambda m, t: FOUND_EARLIER(m.original_model, t, **GREEDY),
        lambda m, t: copy.deepcopy(m).original_model.generate(t, **GREEDY),
        lambda m, t: m.original_model.generate(t, num_beams=2, max_new_tokens=1),
        inherited,
        lambda m, t: in_a_pool(m.original_model.generate, t),
        lambda m, t: getattr(m, "gener" + "ate")(t, **GREEDY, verbose=False),
        lambda m, t: transformers.pipeline(
            "text-generation", m.original_model, tokenizer=m.tokenizer
        )("The", **GREEDY),
    ],
)
def test_generate_is_seen_by_whatever_name_and_however_it_is_reached(answer, reference):
    call = seen(answer, GENERATE, reference, TOKENS.to(reference.cfg.device))
    assert "generate" in call.what


def in_a_pool(function, tokens):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, tokens, **GREEDY).result()


@torch.no_grad()
def by_forward(model, tokens):
    return model.forward(tokens)


def by_transformers(model, tokens):
    first = model.original_model(tokens, use_cache=True)
    return model.original_model(tokens[:, -1:], past_key_values=first.past_key_values).logits


def by_text(model, tokens):
    text = model.to_string(tokens[0])
    return model(model.to_tokens(text, prepend_bos=False)), model.to_str_tokens(text)


@pytest.mark.parametrize(
    "answer",
    [
        lambda m, t: m(t)[:, -1].argmax(-1),
        lambda m, t: m.run_with_cache(t)[0],
        lambda m, t: m.run_with_hooks(t),
        lambda m, t: m.original_model.generation_config.eos_token_id + m.tokenizer.eos_token_id,
        lambda m, t: m.tokenizer.decode(t[0].tolist()),
        by_forward,
        by_transformers,
        by_text,
    ],
)
def test_honest_ways_to_run_the_model_are_none(answer, reference):
    assert seen(answer, GENERATE, reference, TOKENS.to(reference.cfg.device)) is None


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
