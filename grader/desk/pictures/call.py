"""The reader's own functions, called: what they return is looked at before it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from grader.inside.run import innermost
from grader.verdict.show import clip


class NothingToShow(Exception):
    """Why, in one line."""


def call(function: Callable[..., Any], *args: Any) -> Any:
    """What it returns. Raises `NothingToShow` for whatever it raises."""
    name = _name(function)
    try:
        return function(*args)
    except KeyboardInterrupt:
        raise
    except NotImplementedError as error:
        last = innermost(error.__traceback__)
        todo = last.tb_frame.f_code.co_name if last is not None else name
        raise NothingToShow(f"do the exercise {clip(todo, 1, 60)} first.") from None
    except BaseException as error:
        said = clip(f"{type(error).__name__}: {error}".split("\n")[0], 1, 120)
        raise NothingToShow(f"{name} raised {said}. {_see(name)}") from None


def tensor(function: Callable[..., Any], shape: tuple[int, ...], *args: Any) -> torch.Tensor:
    """What it returns, on the CPU, in double precision if it is not of integers."""
    result = call(function, *args)
    if not isinstance(result, torch.Tensor) or tuple(result.shape) != shape:
        raise returned_not(function, f"a tensor of shape {shape}", result)
    result = result.detach().cpu()
    if result.is_floating_point():
        result = result.double()
        if result.isnan().any():
            name = _name(function)
            raise NothingToShow(f"{name} returned NaN. {_see(name)}")
    return result


def returned_not(function: Callable[..., Any], wanted: str, got: Any) -> NothingToShow:
    is_tensor = isinstance(got, torch.Tensor)
    what = f"a tensor of shape {tuple(got.shape)}" if is_tensor else f"a {type(got).__name__}"
    name = _name(function)
    return NothingToShow(f"{name} returned {what}, not {wanted}. {_see(name)}")


def _name(function: Callable[..., Any]) -> str:
    return clip(str(getattr(function, "__name__", type(function).__name__)), 1, 60)


def _see(name: str) -> str:
    return f"pytest exercises -k {name} shows where, and check({name}) in a notebook."


def is_span(span: Any) -> bool:
    return (
        isinstance(span, tuple)
        and len(span) == 3
        and isinstance(span[0], bytes)
        and all(isinstance(place, int) for place in span[1:])
    )


def is_pair(pair: Any) -> bool:
    return isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(t, str) for t in pair)
