"""What `choose_device` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

import torch

from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

choose_device = Exercise(
    "choose_device",
    hints=(
        "Two booleans make four cases. In which of them does the order of preference matter?",
        "Ask for the most preferred one first, and go on only if it is not there. `torch.device` "
        "makes a device from a name.",
    ),
)


@choose_device.check(points=4)
def mps_comes_first(draw: Draw) -> Cases:
    """MPS is taken wherever it is there."""
    yield Case(mps=True, cuda=False)
    yield Case(mps=True, cuda=True)


@choose_device.check(points=3)
def then_cuda(draw: Draw) -> Cases:
    """CUDA is taken where there is no MPS."""
    yield Case(mps=False, cuda=True)


@choose_device.check(points=3)
def else_the_cpu(draw: Draw) -> Cases:
    """Without an accelerator it is the CPU."""
    yield Case(mps=False, cuda=False)


@choose_device.misconception
def cuda_before_mps(mps, cuda):
    """CUDA preferred to MPS.

    Most published code asks for CUDA first. Which of the two does the docstring put first, and
    does the case with both get there?
    """
    return torch.device("cuda" if cuda else "mps" if mps else "cpu")


# old API: the line from before there was MPS; also two `if`s, where an `else` overwrites the first
@choose_device.misconception
def mps_left_out(mps, cuda):
    """MPS left out.

    Without CUDA, an Apple GPU is still better than the CPU. Is there a path on which it is
    chosen, and does nothing later overwrite that choice?
    """
    return torch.device("cuda" if cuda else "cpu")


@choose_device.misconception
def name_of_the_device(mps, cuda):
    """The device's name, not the device.

    PyTorch takes either in most places, but they are not equal: a tensor's `device` is never a
    string. What makes one out of a name?
    """
    return "mps" if mps else "cuda" if cuda else "cpu"


# course forks: the first cell of a notebook, pasted into the function
@choose_device.misconception
def asks_the_machine(mps, cuda):
    """The machine asked, not the arguments.

    Whoever calls the function has asked already, and may want to know what it would do on another
    machine. Where do the two answers come in?
    """
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("cpu")


@choose_device.misconception
def nothing_without_an_accelerator(mps, cuda):
    """No device where there is no accelerator.

    An `if` and an `elif` cover what may be there. What comes back where neither of them holds?
    """
    if mps:
        return torch.device("mps")
    if cuda:
        return torch.device("cuda")
    return None


@choose_device.misconception
def cuda_left_out(mps, cuda):
    """CUDA left out.

    Without MPS, an NVIDIA GPU is still better than the CPU. Is there a path on which it is chosen?
    """
    return torch.device("mps" if mps else "cpu")


# course forks: the one call that serves wherever there is any accelerator
@choose_device.misconception
def cuda_for_either(mps, cuda):
    """CUDA asked for wherever there is any accelerator.

    A Mac has no CUDA, and a model sent there fails. Which name belongs to which of the booleans?
    """
    return torch.device("cuda" if mps or cuda else "cpu")
