"""What the grader looks at when an implementation runs on a case.

An observer takes the implementation and a case's arguments, and returns what it saw. It treats a
student's function, the solution and a misconception alike, and knows no expected value. All
observers are here, since the sandbox, which has no checks, knows them by name (`named`).
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch

from grader.inside.watch import unwatched

Function = Callable[..., Any]


def named(name: str) -> Function:
    """The observer whose `__name__` this is. Raises KeyError."""
    kind, _, exception = name.partition(" ")
    if kind == "raises":
        return raises(getattr(builtins, exception))
    observer: Function = globals()[name]
    return observer


def result(function: Function, *args: Any, **kwargs: Any) -> Any:
    """What it returns."""
    return function(*args, **kwargs)


def dtype(function: Function, *args: Any, **kwargs: Any) -> Any:
    """The dtype of what it returns, or of each of several."""
    return _each(function(*args, **kwargs), lambda tensor: tensor.dtype)


def device(function: Function, *args: Any, **kwargs: Any) -> Any:
    """The device of what it returns, or of each of several."""
    return _each(function(*args, **kwargs), lambda tensor: tensor.device)


def _each(value: Any, look: Callable[[torch.Tensor], Any]) -> Any:
    values = value if isinstance(value, (tuple, list)) else [value]
    return [look(v) if isinstance(v, torch.Tensor) else v for v in values]


def arguments_after(function: Function, *args: Any, **kwargs: Any) -> Any:
    """What its arguments hold after the call."""
    function(*args, **kwargs)
    held = (torch.Tensor, list, dict)
    return [value for value in (*args, *kwargs.values()) if isinstance(value, held)]


def result_and_identity(function: Function, given: Any, *args: Any, **kwargs: Any) -> Any:
    """What it returns, and whether that is the very list it was given."""
    returned = function(given, *args, **kwargs)
    return {"result": returned, "the list it was given": returned is given}


def raises(kind: type[Exception]) -> Function:
    """Whether it raises an exception of this kind."""

    def exception(function: Function, *args: Any, **kwargs: Any) -> str:
        """Whether it raises the right exception."""
        try:
            function(*args, **kwargs)
        except kind:
            return f"{kind.__name__} raised"
        return f"no {kind.__name__} raised"

    exception.__name__ = f"raises {kind.__name__}"
    return exception


def gradients(function: Function, *args: Any, **kwargs: Any) -> Any:
    """The gradient of a fixed weighted sum of the result, for each float tensor among the
    arguments."""
    inputs = [*args, *kwargs.values()]
    leaves = [x for x in inputs if isinstance(x, torch.Tensor) and x.is_floating_point()]
    for leaf in leaves:
        leaf.requires_grad_()
    output = function(*args, **kwargs)
    if not isinstance(output, torch.Tensor) or not output.requires_grad:
        return "a result without a gradient"
    # Unequal weights: a plain sum has gradient zero wherever the result sums to a constant.
    weights = torch.arange(output.numel(), device=output.device).mul(0.7).cos().view(output.shape)
    (output * weights.to(output.dtype)).sum().backward()
    return [None if leaf.grad is None else leaf.grad.to_dense() for leaf in leaves]


def result_and_work(function: Function, model: Any, *args: Any, **kwargs: Any) -> Any:
    """What it returns, in how many passes of the model, and how many sequences these run in all."""
    with _passes(model) as parts:
        returned = function(model, *args, **kwargs)
    return {
        "result": returned,
        "passes": max(len(part.seen) for part in parts),
        "sequences run": max(sum(rows for rows, _ in part.seen) for part in parts),
    }


def builds_graph(function: Function, model: Any, *args: Any, **kwargs: Any) -> str:
    """Whether a forward pass of the model kept what a backward pass would need."""
    with _passes(model) as parts:
        function(model, *args, **kwargs)
    graphs = [wants_gradient for part in parts for _, wants_gradient in part.seen]
    if not graphs:
        return "the model was not run"
    return "a gradient graph was built" if any(graphs) else "no gradient graph was built"


class Hook:
    """A forward hook that looks at the output alone, so that `remember` can call it, too."""

    is_asleep = False  # all of them

    def __init__(self) -> None:
        self.seen: list[tuple[int, bool]] = []  # (sequences, does it want a gradient), per pass

    def __call__(self, module: Any, inputs: Any, output: Any) -> None:
        self.look(output[0] if isinstance(output, tuple) else output)

    def look(self, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim and not Hook.is_asleep:
            self.seen.append((len(output), output.requires_grad))

    @staticmethod
    @contextmanager
    def asleep() -> Iterator[None]:
        Hook.is_asleep = True
        try:
            yield
        finally:
            Hook.is_asleep = False


def parts(model: Any) -> list[torch.nn.Module]:
    """Those of a model that a pass runs at most once each, and some of which it has to run, however
    the model is called: in its blocks, of which somebody may run one by one, and the unembedding.
    """
    if model not in _parts:
        in_blocks = [m for m in model.blocks.modules() if next(m.parameters(), None) is not None]
        _parts[model] = [*in_blocks, model.unembed]
    return _parts[model]


_parts: WeakKeyDictionary[torch.nn.Module, list[torch.nn.Module]] = WeakKeyDictionary()


@contextmanager
def _passes(model: Any) -> Iterator[list[Hook]]:
    """What each of its parts puts out meanwhile."""
    hooks = [Hook() for _ in parts(model)]
    with ExitStack() as stack:
        with unwatched():
            for part, hook in zip(parts(model), hooks, strict=True):
                stack.enter_context(part.register_forward_hook(hook))
        yield hooks
