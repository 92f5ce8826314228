"""Right answers pass in whatever style; wrong ones do not, and are named where they can be."""

import copy
import inspect

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings

from answers import right, strategies, wrong
from grader import lessons
from grader.inside.models import ToyModel
from grader.inside.plain import plain
from grader.outcome import Outcome
from grader.verdict import agree, load
from grader.verdict.exercise import PUBLIC_SEED, Case, Misconception

SEEDS = [PUBLIC_SEED, "hidden"]
ALL = {e.name: e for lesson in lessons.names() for e in load.exercises(lesson)}
EXERCISES = {name: exercise for name, exercise in ALL.items() if name in strategies}
LESSON_OF = {e.name: lesson for lesson in lessons.names() for e in load.exercises(lesson)}


def verdicts(exercise, implementation, grade):
    return [grade(c, implementation, seed) for c in EXERCISES[exercise].checks for seed in SEEDS]


def each(table):
    return pytest.mark.parametrize(
        ("exercise", "index"),
        [(exercise, i) for exercise in EXERCISES for i in range(len(table[exercise]))],
    )


@each(right)
def test_a_right_answer_passes_whatever_its_style(exercise, index, grade):
    for verdict in verdicts(exercise, right[exercise][index], grade):
        assert verdict.outcome is Outcome.PASSED, verdict


@pytest.mark.parametrize("exercise", EXERCISES)
def test_right_answers_and_the_solution_agree_on_inputs_of_any_shape(exercise, fixtures):
    solution = getattr(load.solution(LESSON_OF[exercise]), exercise)
    needs = inspect.signature(strategies[exercise]).parameters
    live = bool(needs)

    # The same examples in every run: what is tested here are the answers, on which verdicts hang.
    @settings(
        max_examples=5 if live else 40, deadline=None, derandomize=True, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategies[exercise](**{need: fixtures(need) for need in needs}))
    def agree_on(args):
        expected = plain(solution(*fresh(args)))
        for answer in right[exercise]:
            assert agree.values(plain(answer(*fresh(args))), expected) is None, answer

    agree_on()


def fresh(args):
    return [arg.clone() if hasattr(arg, "clone") else arg for arg in args]


@each(wrong)
def test_a_wrong_answer_does_not_pass_and_is_named_if_it_can_be(exercise, index, grade, explained):
    function, named = wrong[exercise][index]
    got = [grade(check, function, PUBLIC_SEED) for check in EXERCISES[exercise].checks]
    assert {verdict.outcome for verdict in got} != {Outcome.PASSED}
    assert Outcome.TODO not in {verdict.outcome for verdict in got}
    assert names_of(explained(EXERCISES[exercise], function)) == named


WITHOUT_THE_MODEL = {
    exercise: [check for check in EXERCISES[exercise].checks if "reference" not in check.needs]
    for exercise in EXERCISES
}
IN_PART = [e for e in EXERCISES if 0 < len(WITHOUT_THE_MODEL[e]) < len(EXERCISES[e].checks)]


@pytest.mark.parametrize("exercise", IN_PART)
def test_a_name_given_without_the_model_is_a_right_one(
    exercise, fixtures, grade, explained, monkeypatch
):
    """In a run of checks that do without it, it is not loaded for the sake of a name."""
    monkeypatch.delitem(vars(fixtures), "reference", raising=False)
    checks = WITHOUT_THE_MODEL[exercise]
    for function, named in wrong[exercise]:
        if any(grade(check, function, PUBLIC_SEED).case is not None for check in checks):
            found = explained(EXERCISES[exercise], function, checks)
            if found is not None and found.is_sure:
                assert set_of(names_of(found)) <= set_of(named), function
    assert not fixtures.loaded("reference")


def names_of(explanation):
    """What it is called: the function names of misconceptions, the names of patterns."""
    if explanation is None:
        return None
    names = [
        cause.implementation.__name__ if isinstance(cause, Misconception) else cause.name
        for cause in explanation.causes
    ]
    return names[0] if len(names) == 1 else set(names)


def set_of(names):
    """Of what `names_of` gives."""
    return names if isinstance(names, set) else {names} - {None}


def test_every_exercise_has_three_right_answers_here():
    assert {exercise for exercise in EXERCISES if len(right[exercise]) < 3} == set()


def test_every_exercise_has_answers():
    if without := ALL.keys() - EXERCISES.keys():
        names = ", ".join(sorted(without))
        pytest.skip(f"tests/answers/ has no answers yet to {names}")  # as `grader new` begins one


def test_what_an_answer_sets_on_the_tokenizer_is_gone_in_the_next_call(tokenizer):
    case = Case(tokenizer, "a text")
    before = tokenizer.padding_side, tokenizer.pad_token, tokenizer.add_bos_token
    [theirs, text], _ = case.arguments()
    ids = theirs.encode(text)
    theirs.padding_side, theirs.pad_token, theirs.add_bos_token = "left", "!", True
    theirs.model_input_names.append("!")
    [again, _], _ = case.arguments()
    assert (again.padding_side, again.pad_token, again.add_bos_token) == before
    assert again.encode(text) == ids
    assert "!" not in again.model_input_names


def test_what_an_answer_does_to_the_model_is_gone_in_the_next_call(fixtures):
    def look(model):
        assert not model.training
        assert model.tokenizer is fixtures.reference.tokenizer
        assert model.tokenizer.padding_side == "right"
        assert all(parameter.grad is None for parameter in model.parameters())
        return model("a text")

    case = Case(fixtures("reference"))
    [model], _ = case.arguments()
    before = look(model)
    assert before.requires_grad
    before[0, -1, 0].backward()
    model.requires_grad_(False).train()
    model.tokenizer.padding_side = "left"
    model.tokenizer.add_bos_token = False
    model.tokenizer = copy.copy(model.tokenizer)
    model.cfg.default_prepend_bos = False
    model.add_hook("blocks.0.hook_resid_pre", lambda a, hook: a * 0)
    model.hook_dict["blocks.1.hook_resid_post"].add_perma_hook(lambda a, hook: a * 2)
    model.blocks[0].register_forward_pre_hook(lambda *_: None)
    for again in (lambda: case.arguments()[0][0], lambda: fixtures("reference")):
        after = look(again())
        assert after.requires_grad
        assert torch.equal(after, before)
        model.add_hook("blocks.0.hook_resid_pre", lambda a, hook: a * 0)


def test_what_an_answer_makes_of_a_toy_model_is_gone_in_the_next_call():
    tokens = torch.tensor([[1, 2]])
    case = Case(ToyModel("everything"))
    [theirs], _ = case.arguments()
    theirs.forward = lambda tokens: tokens
    [again], _ = case.arguments()
    assert torch.equal(again(tokens), ToyModel("everything")(tokens))
