"""What `prefix_predictions` of lesson 3 must do, and what people get wrong."""

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


prefix_predictions = Exercise(
    "prefix_predictions",
    hints=(
        "How many prefixes has a text of three tokens, if every one has at least one token and "
        "the whole text is one of them?",
        "Run the model on the tokens cut off after position j, for each j, and keep what it "
        "says at the last position of that run only.",
        "A slice that ends at j + 1, a run, batch 0 and position -1: collect those vectors in a "
        "list, then `torch.stack` them.",
    ),
)


@prefix_predictions.check(points=5)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """Row j is the reference's prediction after tokens 0 to j."""
    yield Case(reference, reference.to_tokens(draw.pick(texts.SENTENCES))[:, :5])


@prefix_predictions.check(points=5)
def prefixes_run_alone(draw: Draw) -> Cases:
    """Each prefix is run by itself: a model that looks ahead gets nothing to see there."""
    yield Case(ToyModel("everything"), draw.ids(1, 1, below=50257))
    for peeks in ("everything", "next", "0>2"):
        yield Case(ToyModel(peeks), draw.ids(1, draw.integer(3, 6), below=50257))
    yield Case(ToyModel("everything"), draw.ids(1, 20, below=50257))


@prefix_predictions.misconception
def one_run(model, tokens):
    """One run over the whole text.

    For a causal model that is the same, only faster. Of a model that looks ahead it shows what it
    says with the answer in sight: what would it say without?
    """
    return model(tokens)[0]


@prefix_predictions.misconception
def whole_text_left_out(model, tokens):
    """Prefixes without the longest.

    A range stops before its end, so here the whole text never runs. How many rows should there be
    for one token?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, :end])[0, -1] for end in range(1, seq)])


@prefix_predictions.misconception
def empty_prefix_first(model, tokens):
    """Prefixes that begin with the empty one.

    A slice that ends at 0 holds no token, and there is no last position in nothing. Row j sees
    tokens 0 to j, j included.
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, :j])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def suffixes(model, tokens):
    """Suffixes in place of prefixes.

    These lose tokens at the front. On which side of the colon does the end of a slice stand?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, j:])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def one_token_at_a_time(model, tokens):
    """Each token run alone.

    Row j is to follow from all tokens up to j, not from token j without what came before it.
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, j : j + 1])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def first_position(model, tokens):
    """The first position of every run.

    After its first token a causal model says the same in every run. At which position of a prefix
    has it read all of that prefix?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0, 0] for j in range(seq)])


@prefix_predictions.misconception
def every_position_kept(model, tokens):
    """Runs stacked with all their positions.

    Prefixes are of unequal length, and so are their outputs, which do not fit together. Of each run
    just one position is wanted: which?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0] for j in range(seq)])


@prefix_predictions.misconception
def batch_dimension_kept(model, tokens):
    """A batch dimension left in every row.

    The numbers are right, but each row is a batch of one. Put them side by side so that one matrix
    comes out, of shape (seq, d_vocab).
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[:, -1] for j in range(seq)])


# course forks: how one does it where shapes must be static
@prefix_predictions.misconception
def future_blanked_out(model, tokens):
    """The future overwritten rather than cut off.

    A model that looks ahead still sees something there, if only fillers. Each prefix should be run
    by itself, with nothing after it.
    """
    rows = []
    for j in range(tokens.shape[1]):
        prefix = tokens.clone()
        prefix[:, j + 1 :] = BOS
        rows.append(model(prefix)[0, j])
    return torch.stack(rows)


@prefix_predictions.misconception
def a_list(model, tokens):
    """A list of rows.

    The rows are right. One tensor was asked for; which function lays vectors on top of one another?
    """
    return [model(tokens[:, : j + 1])[0, -1] for j in range(tokens.shape[1])]


@prefix_predictions.misconception
def output_with_an_attribute(model, tokens):
    """Logits sought in an attribute of the output.

    Models of Hugging Face's give back an object that holds `logits`. This one gives you the tensor
    itself: what is left to do with it?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1]).logits[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def probabilities(model, tokens):
    """Probabilities in place of logits.

    They say what the model predicts, but asked for is what it gives out, as it is. Which step is
    one too many?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0, -1].softmax(-1) for j in range(seq)])


@prefix_predictions.misconception
def most_likely_tokens(model, tokens):
    """The most likely tokens in place of the logits.

    One id per prefix is left of 50,257 numbers. A row holds all logits of the last position.
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0, -1].argmax() for j in range(seq)])


@prefix_predictions.misconception
def longest_first(model, tokens):
    """Prefixes from the longest to the shortest.

    Row j is about tokens 0 to j, so the shortest prefix comes first. In which order do you go
    through them?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : seq - j])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def joined_end_to_end(model, tokens):
    """Rows joined end to end into one vector.

    `cat` lays tensors along a dimension that they have. Which function makes a new one, along which
    they lie side by side?
    """
    seq = tokens.shape[1]
    return torch.cat([model(tokens[:, : j + 1])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def one_prefix_too_many(model, tokens):
    """One prefix too many.

    A slice may end past the end, so the whole text runs twice without a word. How many prefixes has
    a text of three tokens?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[0, -1] for j in range(seq + 1)])


@prefix_predictions.misconception
def every_dimension_squeezed(model, tokens):
    """Squeeze without a dimension, which takes them all.

    For a text of one token more goes than the batch: the rows, too. How do you say which one is to
    go?
    """
    seq = tokens.shape[1]
    return torch.stack([model(tokens[:, : j + 1])[:, -1] for j in range(seq)]).squeeze()


@prefix_predictions.misconception
def bos_put_in_front(model, tokens):
    """A BOS put in front of every prefix.

    The tokens are to be taken as they are; they may begin with a BOS already. What does row 0 see?
    """
    seq = tokens.shape[1]
    longer = torch.cat([torch.full_like(tokens[:, :1], BOS), tokens], dim=1)
    return torch.stack([model(longer[:, : j + 2])[0, -1] for j in range(seq)])


@prefix_predictions.misconception
def future_set_to_zero(model, tokens):
    """The future filled up with zeros rather than cut off.

    0 is a token, too: the exclamation mark. A model that looks ahead sees it there. Each prefix
    should be run by itself, with nothing after it.
    """
    rows = []
    for j in range(tokens.shape[1]):
        prefix = tokens.clone()
        prefix[:, j + 1 :] = 0
        rows.append(model(prefix)[0, j])
    return torch.stack(rows)
