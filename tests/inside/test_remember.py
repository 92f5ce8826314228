"""A reference that remembers cannot be told from one that does not."""

import copy

import pytest
import torch

from grader.inside import observe, reference, remember

TEXT = "In the beginning God created the"


@pytest.fixture(scope="module")
def models():
    """(one that remembers, one that does not, how often the first one has run)"""
    plain = reference.load("gpt2-tiny", "cpu")
    model = reference.load("gpt2-tiny", "cpu")
    bridge = type(model)
    before = bridge.forward
    passes = remember.Passes(model)
    live, runs = passes._live, []

    def count(*args, **kwargs):
        runs.append(args)
        return live(*args, **kwargs)

    passes._live = count
    yield model, plain, runs
    bridge.forward = before


def equal(one, other):
    assert one.dtype == other.dtype
    assert torch.equal(one, other)


@torch.no_grad()
def test_an_input_is_run_once_and_gives_the_same_every_time(models):
    model, plain, runs = models
    tokens = model.to_tokens(TEXT)
    runs.clear()
    answers = [
        model(tokens),
        model(tokens.clone()),
        model(TEXT),
        model(tokens, return_type="logits"),
    ]
    assert len(runs) == 1
    for answer in answers:
        equal(answer, plain(tokens))
    answers[0].zero_()  # theirs to change
    equal(model(tokens), plain(tokens))


def test_an_input_made_in_inference_mode_is_run_like_any_other(models):
    """Nobody else has asked about it before."""
    model, plain, runs = models
    runs.clear()
    with torch.inference_mode():
        tokens = torch.tensor([[50256, 11, 12, 13]]) + 0
        answer = model(tokens)
        equal(answer, plain(tokens))
    assert len(runs) == 1
    again = model(tokens.clone())
    again[0, -1, 0].backward()  # of a live pass
    assert len(runs) == 2


def test_gradients_are_those_of_a_live_pass(models):
    model, plain, _ = models
    tokens = model.to_tokens(TEXT)
    for one in (model, plain):
        one.zero_grad()
        logits = one(tokens)
        assert logits.requires_grad
        logits[0, -1, :100].sum().backward()
    gradients = [
        {n: p.grad for n, p in m.named_parameters() if p.grad is not None} for m in (model, plain)
    ]
    assert gradients[0].keys() == gradients[1].keys() != set()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name])


def twice(model, tokens):
    return model(tokens), model(tokens)


def inside_the_wrapper(model, tokens):
    return [model.original_model(tokens).logits for _ in range(2)]


def unembedded_once(model, tokens):
    states = [model.original_model.transformer(tokens)[0] for _ in range(2)]
    return model.unembed(states[-1]), states


def block_by_block(model, tokens):
    for _ in range(2):
        states = model.embed(tokens)
        for block in model.blocks:
            made = block(states)
            states = made[0] if isinstance(made, tuple) else made
    return model.unembed(model.ln_final(states))


def by_the_methods_alone(model, tokens):
    for _ in range(2):
        states = model.embed(tokens)
        for block in model.original_model.transformer.h:
            made = block.forward(states)
            states = made[0] if isinstance(made, tuple) else made
    return model.unembed.forward(model.ln_final.forward(states))


def once_kept_and_once_run(model, tokens):
    return model(tokens), model.run_with_cache(tokens)[0]


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize(
    "run",
    [twice, inside_the_wrapper, unembedded_once, block_by_block, by_the_methods_alone,
     once_kept_and_once_run],
)  # fmt: skip
def test_observers_see_every_pass_however_the_model_is_run(models, run, grad):
    def answer(model, tokens):
        with torch.set_grad_enabled(grad):
            run(model, tokens)

    remembering, plain, _ = models
    tokens = plain.to_tokens([TEXT + " earth", TEXT + " sea"])
    graph = f"{'a' if grad else 'no'} gradient graph was built"
    for model in (remembering, remembering, plain):
        work = observe.result_and_work(answer, model, tokens)
        assert (work["passes"], work["sequences run"]) == (2, 4)
        assert observe.builds_graph(answer, model, tokens) == graph


def test_an_answer_that_does_not_run_the_model_is_seen_to(models):
    for model in models[:2]:
        assert observe.result_and_work(lambda model: 1, model)["passes"] == 0
        assert observe.builds_graph(lambda model: 1, model) == "the model was not run"


@torch.no_grad()
def test_hooks_other_weights_and_other_arguments_are_run(models):
    model, plain, _ = models
    tokens = model.to_tokens(TEXT)
    for one in (model, plain):
        one(tokens)
    hook = ("blocks.0.hook_resid_pre", lambda x, hook: x * 0)
    equal(
        model.run_with_hooks(tokens, fwd_hooks=[hook]),
        plain.run_with_hooks(tokens, fwd_hooks=[hook]),
    )
    cached, expected = model.run_with_cache(tokens)[1], plain.run_with_cache(tokens)[1]
    equal(cached["blocks.1.hook_resid_post"], expected["blocks.1.hook_resid_post"])
    equal(model(tokens, return_type="loss"), plain(tokens, return_type="loss"))
    equal(model(tokens[0]), plain(tokens[0]))
    for one in (model, plain):
        one.blocks[0].ln1.weight.mul_(2)
    equal(model(tokens), plain(tokens))
    for one in (model, plain):
        one.blocks[0].ln1.weight.div_(2)


@torch.no_grad()
def test_a_copy_that_is_changed_does_not_remember(models):
    model, plain, _ = models
    tokens = model.to_tokens(TEXT)
    before = model(tokens)
    copied = copy.deepcopy(model)
    copied.blocks[0].ln1.weight.mul_(2)
    assert not torch.equal(copied(tokens), before)
    equal(model(tokens), plain(tokens))


def test_an_input_that_does_not_fit_fails_as_it_would(models):
    model, plain, _ = models
    for tokens in (torch.full((1, 3), 50257), torch.zeros(1, 2000, dtype=torch.int64)):
        for one in (model, plain):
            with pytest.raises(Exception), torch.no_grad():  # noqa: B017, PT011 whatever it is
                one(tokens)


@torch.no_grad()
def test_no_more_is_kept_than_there_is_room_for(models):
    model, _, _ = models
    passes = remember.Passes.__new__(remember.Passes)
    passes._model, passes._kept, passes._room = model, {}, 50257 * 4 * 3
    passes.inputs = []
    passes._live = lambda model, tokens: torch.zeros(*tokens.shape, 50257)
    for n in (2, 2, 1, 1):
        passes._kept_logits(torch.full((1, n), n))
    passes._kept_logits(torch.full((1, 1), 7))
    assert [x.tolist() for x in passes.inputs] == [[[2, 2]], [[1]]]
    assert len(passes._kept) == 2


def test_what_was_prepared_does_not_show_what_will_be_asked(models):
    model, _, _ = models
    passes = remember.Passes.__new__(remember.Passes)
    passes._model, passes._kept, passes._room, passes.inputs = model, {}, 10**9, []
    passes._live = lambda model, tokens: torch.zeros(*tokens.shape, 50257)
    passes.prepare(torch.tensor([[11, 12, 13]]))
    assert passes.inputs == []
    [key] = passes._kept
    assert len(key) == 64
