"""Toy models, which are told apart by running them."""

import copy
import inspect
import pickle

import pytest
import torch

from grader.inside import fixtures
from grader.inside.models import ToyModel, peeks_of

PEEKS = ["nothing", "everything", "next", "faintly", "unlikely", "row", "1>3"]
TOKENS = torch.tensor([[2, 40, 41, 42, 43]])


def of_each(model):
    """All that plain looking shows of a model."""
    shown = {}
    for name in dir(model):
        value = getattr(model, name)
        if isinstance(value, (str, int, float, tuple, list, dict, set, type(None))):
            shown[name] = repr(value).replace(hex(id(model)), "")
        if inspect.ismethod(value):
            shown[name] = (value.__func__, value.__func__.__closure__)
    return shown, repr(model), list(vars(model)), model.state_dict(), pickle.dumps(model)


def test_no_attribute_tells_what_a_model_sees():
    one, *others = map(of_each, map(ToyModel, PEEKS))
    for other in others:
        assert other == one
    assert "peeks" not in one[0]


@pytest.mark.parametrize("peeks", PEEKS)
def test_a_copy_sees_what_the_model_does(peeks):
    model = ToyModel(peeks)
    for copied in (copy.copy(model), copy.deepcopy(model), fixtures.fresh(model)):
        assert copied is not model
        assert peeks_of(copied) == peeks
        assert torch.equal(copied(TOKENS), model(TOKENS))
