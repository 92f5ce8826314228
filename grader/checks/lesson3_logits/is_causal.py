"""What `is_causal` of lesson 3 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.checks.lesson3_logits.shared import BOS
from grader.inside.models import ToyModel
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


is_causal = Exercise(
    "is_causal",
    hints=(
        "Causal means that changing later tokens changes nothing earlier. Which positions may "
        "differ after you change token j, and which may not?",
        "Change everything after position j in a copy, run both, and compare positions 0 to j. "
        "Do that for every j, in all sequences, over all logits.",
        "Every token must really change and stay below 50257: add a constant and take the "
        "remainder. Compare by `torch.allclose` with a tolerance between 1e-4 and 0.1.",
    ),
)


def yes_and_no(draw: Draw, peeks: str) -> Cases:
    """A model that peeks beside one that does not: whoever always gives one answer is wrong."""
    for batch, seq in [(1, 4), (2, 6)]:
        yield Case(ToyModel(peeks), draw.ids(batch, seq, below=50257))
        yield Case(ToyModel("nothing"), draw.ids(batch, seq, below=50257))


@is_causal.check(points=5)
def the_reference_is(draw: Draw, reference: TransformerBridge) -> Cases:
    """The reference, whose runs differ by rounding, is causal; one that sees all is not."""
    tokens = reference.to_tokens(draw.pick(texts.SENTENCES))[:, :5]
    yield Case(reference, tokens)
    yield Case(ToyModel("everything"), tokens)


@is_causal.check(points=3)
def seeing_everything(draw: Draw) -> Cases:
    """Tells a causal model from one in which every position sees all others."""
    yield from yes_and_no(draw, "everything")
    yield Case(ToyModel("nothing"), draw.ids(1, 1, below=50257))
    for peeks in ("everything", "nothing"):
        yield Case(ToyModel(peeks), draw.ids(1, 2, below=50257))


@is_causal.check(points=3)
def seeing_the_next_token(draw: Draw) -> Cases:
    """Tells a causal model from one in which each position sees just one token ahead."""
    yield from yes_and_no(draw, "next")
    for token in (
        0,
        BOS,
        1000,
        49257,
    ):  # whatever a change of the tokens puts there, it must be a change
        yield Case(ToyModel("next"), torch.full((1, 4), token))


@is_causal.check(points=3)
def one_position_peeks(draw: Draw) -> Cases:
    """Tells a causal model from one in which a single position sees one later token."""
    seq = draw.integer(5, 7)
    tokens = draw.ids(2, seq, below=50257)
    near, far = draw.integer(1, seq - 3), draw.integer(0, seq - 3)
    pairs = [(0, 1), (seq - 2, seq - 1), (near, near + 1), (far, draw.integer(far + 2, seq - 1))]
    for at, sees in pairs:
        yield Case(ToyModel(f"{at}>{sees}"), tokens)
    yield Case(ToyModel("nothing"), tokens)
    longer = draw.ids(1, 20, below=50257)
    for at in (draw.integer(10, 15), draw.integer(16, 17)):
        yield Case(ToyModel(f"{at}>{draw.integer(at + 1, 18)}"), longer)
    yield Case(ToyModel("nothing"), longer)


@is_causal.check(points=3)
def all_peek_faintly(draw: Draw) -> Cases:
    """Tells a causal model from one whose logits the next token changes by a tenth or so, or of
    which it changes no more than one."""
    yield from yes_and_no(draw, "faintly")
    yield Case(ToyModel("unlikely"), draw.ids(2, 6, below=50257))


@is_causal.check(points=3)
def one_sequence_peeks(draw: Draw) -> Cases:
    """Tells a causal model from one that peeks in one sequence of the batch only."""
    for batch, seq in [(1, 4), (3, 5)]:
        tokens = draw.ids(batch, seq, below=50256)
        tokens[:, 0] += 1 - tokens[:, 0] % 2  # odd: no peeking
        yield Case(ToyModel("nothing"), tokens)
        for row in range(batch):
            peeking = tokens.clone()
            peeking[row, 0] -= 1
            yield Case(ToyModel("row"), peeking)


@is_causal.misconception
def tolerance_below_the_rounding(model, tokens):
    """A tolerance tighter than rounding.

    Runs of unequal length differ by 1e-4 or so, even of a causal model. How small an effect are
    you asked to find, and how large may the rounding be?
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        if not torch.allclose(model(tokens[:, :end]), logits[:, :end]):
            return False
    return True


@is_causal.misconception
def tolerance_above_the_leak(model, tokens):
    """A tolerance so wide that a faint leak passes.

    Rounding accounts for 1e-4 or so. The leak that you are asked to find may be a tenth of a logit.
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        if not torch.allclose(model(tokens[:, :end]), logits[:, :end], atol=0.5):
            return False
    return True


@is_causal.misconception
def same_top_token(model, tokens):
    """Only the top tokens compared.

    A leak may change every logit without changing which is the largest. What else can you compare,
    if rounding is allowed for?
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        prefix = model(tokens[:, :end])
        if not torch.equal(prefix.argmax(dim=-1), logits[:, :end].argmax(dim=-1)):
            return False
    return True


# course forks: the usual unit test of a causal mask
@is_causal.misconception
def only_the_last_token_changed(model, tokens):
    """Only the last token changed.

    A position that peeks at an earlier token than the last goes unnoticed. Which tokens come after
    position 0?
    """
    changed = tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 50257
    return torch.allclose(model(changed)[:, :-1], model(tokens)[:, :-1], atol=1e-3)


@is_causal.misconception
def only_the_next_token_changed(model, tokens):
    """Only the next token changed, for each position.

    A model may skip the next token and peek further ahead. Of how many later tokens must the
    logits at position j be independent?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1] = (changed[:, j + 1] + 1) % 50257
        if not torch.allclose(model(changed)[:, j], logits[:, j], atol=1e-3):
            return False
    return True


# forum: tests of a mask that split the sequence once
@is_causal.misconception
def one_cut_in_the_middle(model, tokens):
    """One cut through the middle.

    A position that peeks within its own half goes unnoticed. After how many positions can the
    future begin?
    """
    half = tokens.shape[1] // 2
    return torch.allclose(model(tokens[:, :half]), model(tokens)[:, :half], atol=1e-3)


@is_causal.misconception
def first_position_only(model, tokens):
    """A verdict after the first position.

    A return within the loop ends it at once. To say yes you have to have seen every position; after
    how many may you say no?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        return torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3)
    return True


@is_causal.misconception
def last_pair_left_out(model, tokens):
    """A loop that ends one cut early.

    Whether the last position but one sees the last token is never tested. For how many positions
    is there something later?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 2):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def first_sequence_only(model, tokens):
    """Only the first sequence of the batch.

    A model may peek in one sequence and not in another. Does an index 0 stand where all of the
    batch should be compared?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1]):
        if not torch.allclose(model(tokens[:, : j + 1])[0, -1], logits[0, j], atol=1e-3):
            return False
    return True


@is_causal.misconception
def changed_positions_compared_too(model, tokens):
    """Positions compared whose own token has changed.

    After another token every model says something else, causal or not. Which positions come before
    the first change?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j] = (changed[:, j] + 1) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def future_set_to_zero(model, tokens):
    """Later tokens overwritten by 0, which they may be already.

    Where a token is 0 to begin with, nothing has changed and nothing can show. How do you make
    sure that every later token becomes another one?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = 0
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def future_set_to_bos(model, tokens):
    """Later tokens overwritten by the BOS, which they may be already.

    Where a token is the BOS to begin with, nothing has changed and nothing can show. How do you
    make sure that every later token becomes another one?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = BOS
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def later_tokens_reversed(model, tokens):
    """Later tokens only put into another order.

    Where just one of them is left there is nothing to exchange, and equal ones look the same in any
    order. How do you make sure that every later token becomes another one?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = changed[:, j + 1 :].flip(1)
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def past_the_end_of_the_vocabulary(model, tokens):
    """A later token counted up past the end of the vocabulary.

    50256 is the last id, and one more is none. How do you stay below 50257, and change every token
    all the same?
    """
    logits = model(tokens)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] += 1
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def changes_left_standing(model, tokens):
    """Changes that are left standing for the next position.

    What you changed to test position 0 is what position 1 has read, so its logits differ, as they
    may. From which tokens must each change start?
    """
    logits = model(tokens)
    changed = tokens.clone()
    for j in range(tokens.shape[1] - 1):
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], logits[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def first_position_never_tested(model, tokens):
    """The first position never tested.

    It may see what comes after it, like any other. With which position does your loop begin?
    """
    logits = model(tokens)
    for j in range(1, tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        if not torch.allclose(model(changed)[:, j], logits[:, j], atol=1e-3):
            return False
    return True


@is_causal.misconception
def one_logit_lost_among_many(model, tokens):
    """A comparison in which one logit is lost among all others.

    A mean over the vocabulary divides its change by 50,257, and a softmax makes nothing of it
    where the token is unlikely. How large is the largest difference between two logits?
    """
    logits = model(tokens)
    for end in range(1, tokens.shape[1]):
        if (model(tokens[:, :end])[:, -1] - logits[:, end - 1]).abs().mean() > 1e-3:
            return False
    return True


@is_causal.misconception
def compared_with_itself(model, tokens):
    """A test that every model passes.

    Do the two runs that you compare get different tokens? `changed = tokens` makes no copy, so
    that both are changed. And do you compare logits of one position, or something that is the same
    in any run?
    """
    changed = tokens
    for j in range(tokens.shape[1] - 1):
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        if not torch.allclose(model(changed)[:, : j + 1], model(tokens)[:, : j + 1], atol=1e-3):
            return False
    return True


@is_causal.misconception
def last_token_never_changed(model, tokens):
    """The last token never changed.

    A position that sees the last token alone goes unnoticed. Which tokens come after position 0,
    and with which does your loop end?
    """
    logits = model(tokens)
    for j in range(1, tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j] = (changed[:, j] + 1) % 50257
        if not torch.allclose(model(changed)[:, :j], logits[:, :j], atol=1e-3):
            return False
    return True


@is_causal.misconception
def same_top_token_after_a_change(model, tokens):
    """Only the top tokens compared, before and after a change.

    A leak may change every logit without changing which is the largest. What else can you compare,
    if rounding is allowed for?
    """
    tops = model(tokens).argmax(dim=-1)
    for j in range(tokens.shape[1] - 1):
        changed = tokens.clone()
        changed[:, j + 1 :] = (changed[:, j + 1 :] + 1) % 50257
        if not torch.equal(model(changed).argmax(dim=-1)[:, : j + 1], tops[:, : j + 1]):
            return False
    return True
