"""What `one_hot` of lesson 2 must do, and what people get wrong."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from grader.inside import observe
from grader.inside.reference import available_devices
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

one_hot = Exercise(
    "one_hot",
    hints=(
        "For a single token, which of the d_vocab entries is 1? Say it as a condition on the "
        "entry's index, and it need not be one token at a time.",
        "Compare the tokens with all the ids that there are: `torch.arange(d_vocab)`. Or look for "
        "a function in `torch.nn.functional`, and mind the dtype that it gives.",
        "`tokens[..., None]` has shape (..., 1) and broadcasts against the (d_vocab,) ids. Have "
        "these on the tokens' device, and make the True and False that come out float32.",
    ),
)


@one_hot.check(points=6)
def one_at_the_id(draw: Draw) -> Cases:
    """1.0 at each token's id, 0.0 elsewhere, for any number of dimensions."""
    yield Case(torch.tensor([1]), d_vocab=2)
    yield Case(torch.tensor([2, 0]), d_vocab=3)
    yield Case(torch.tensor(1), d_vocab=4)
    for shape in [(5,), (2, 3), (2, 1, 4)]:
        yield Case(draw.ids(*shape, below=7), d_vocab=7)


@one_hot.check(points=2)
def the_whole_vocabulary_is_there(draw: Draw) -> Cases:
    """There is an entry for every token of the vocabulary, also for those that do not occur."""
    yield Case(torch.tensor([0, 1]), d_vocab=draw.integer(5, 9))
    yield Case(draw.ids(2, below=500), d_vocab=1000)  # not 50,257: torch.eye is a fair way, too


@one_hot.check(points=1, observe=observe.dtype)
def is_float32(draw: Draw) -> Cases:
    """The result is float32, so that it can be multiplied."""
    yield Case(draw.ids(2, 3, below=7), d_vocab=7)


@one_hot.check(points=1, observe=observe.device)
def stays_on_the_device(draw: Draw) -> Cases:
    """The result is on the device of the tokens."""
    for device in available_devices():
        yield Case(draw.ids(2, 3, below=7).to(device), d_vocab=7)


@one_hot.misconception
def integers(tokens, d_vocab):
    """One-hot vectors of integers.

    The values are right, but F.one_hot counts in int64, and a product with float32 weights
    refuses that. Which dtype does the next step need?
    """
    return F.one_hot(tokens, d_vocab)


@one_hot.misconception
def as_long_as_the_largest_id(tokens, d_vocab):
    """One-hot vectors only as long as the largest id needs.

    Left to itself, F.one_hot guesses the number of classes from the tokens it happens to see. The
    vocabulary is the same whatever the text, and you were told its size.
    """
    return F.one_hot(tokens).float()


# course forks: through numpy.eye, whose dtype stays.
@one_hot.misconception
def float64(tokens, d_vocab):
    """One-hot vectors in float64.

    Ones and zeros are exact in any dtype, so nothing is gained; but a product of float64 and
    float32 matrices is an error in PyTorch. Which dtype do weights have?
    """
    return torch.eye(d_vocab, dtype=torch.float64, device=tokens.device)[tokens]


# forum: "scatter_ gives several ones per row".
@one_hot.misconception
def one_bag_for_the_sequence(tokens, d_vocab):
    """One multi-hot vector for a whole sequence.

    All ones of a sequence went into the same vector, so its order is lost. Each token wants a
    vector of its own: what must the shape of the zeros be before you write into them?
    """
    zeros = torch.zeros(*tokens.shape[:-1], d_vocab, device=tokens.device)
    return zeros.scatter_(-1, tokens, 1.0)


@one_hot.misconception
def one_dimension_only(tokens, d_vocab):
    """One-hot vectors for a single sequence only.

    Writing a 1 into row i, column tokens[i] takes the tokens for a plain list. How would you say
    it for a batch, or for a token that stands alone?
    """
    out = torch.zeros(len(tokens), d_vocab, device=tokens.device)
    out[torch.arange(len(tokens), device=tokens.device), tokens] = 1.0
    return out


@one_hot.misconception
def batch_flattened(tokens, d_vocab):
    """The batch flattened to one long row of tokens.

    Each token has the right vector, but which sequence it came from is gone. The result has the
    tokens' own dimensions, and one more.
    """
    flat = tokens.flatten()
    out = torch.zeros(flat.numel(), d_vocab, device=tokens.device)
    out[torch.arange(flat.numel(), device=tokens.device), flat] = 1.0
    return out


# forum: segmentation and torchvision put classes first.
@one_hot.misconception
def vocabulary_first(tokens, d_vocab):
    """The vocabulary as the first dimension.

    That order is at home with images, where channels come first. Here each token should hold its
    own vector, so that the last dimension meets the rows of W_E.
    """
    ids = torch.arange(d_vocab, device=tokens.device)
    return (ids.view(-1, *[1] * tokens.ndim) == tokens).float()


@one_hot.misconception
def truth_values(tokens, d_vocab):
    """One-hot vectors of True and False.

    A comparison gives truth values, and a product with float32 weights refuses them. Which dtype
    does the next step need?
    """
    return tokens[..., None] == torch.arange(d_vocab, device=tokens.device)


@one_hot.misconception
def ids_from_1(tokens, d_vocab):
    """Ids counted from 1.

    Token 0 is there, too, and its 1 is the first entry. From which number does a tensor count its
    entries?
    """
    return torch.eye(d_vocab, device=tokens.device)[tokens - 1]


@one_hot.misconception
def one_entry_too_many(tokens, d_vocab):
    """One entry more than there are tokens in the vocabulary.

    With ids from 0 on, the last one is d_vocab - 1. How many are there?
    """
    return F.one_hot(tokens, d_vocab + 1).float()


@one_hot.misconception
def no_new_dimension(tokens, d_vocab):
    """Tokens compared with all ids without a dimension of their own.

    The last dimension of the tokens meets the ids then, if they are equally long. Which shape
    makes every token meet every id?
    """
    return (torch.arange(d_vocab, device=tokens.device) == tokens).float()


# forum: another operation for a plain list of tokens
@one_hot.misconception
def scattered_into_rows(tokens, d_vocab):
    """Ones scattered into a matrix, for a single sequence only.

    A matrix has room for one row per token of a plain list. Which shape do the zeros need for a
    batch, or for a token that stands alone?
    """
    zeros = torch.zeros(tokens.size(0), d_vocab, device=tokens.device)
    return zeros.scatter_(1, tokens.unsqueeze(1), 1.0)


@one_hot.misconception
def one_token_in_a_row(tokens, d_vocab):
    """A token that stands alone made a row of one.

    Without dimensions it has one vector, and not a list of vectors. Which line adds a dimension?
    """
    return F.one_hot(torch.atleast_1d(tokens), d_vocab).float()


@one_hot.misconception
def squeezed(tokens, d_vocab):
    """Dimensions of size one squeezed away.

    A batch of one is still a batch, and the vector of its tokens belongs to it. Which line drops a
    dimension?
    """
    return F.one_hot(tokens, d_vocab).float().squeeze()


@one_hot.misconception
def token_0_as_padding(tokens, d_vocab):
    """Token 0 taken for padding, with no 1 at all.

    GPT-2 has no padding token: id 0 is an exclamation mark. Where is its 1?
    """
    return F.one_hot(tokens, d_vocab).float() * (tokens != 0)[..., None]


@one_hot.misconception
def shape_taken_for_a_pair(tokens, d_vocab):
    """A shape of two dimensions taken for granted.

    Tokens come with any number of dimensions here, none included, and then their shape is not a
    pair. Which operation minds nothing but the last one, or none?
    """
    batch, seq = tokens.shape
    zeros = torch.zeros(batch, seq, d_vocab, device=tokens.device)
    return zeros.scatter_(2, tokens.unsqueeze(2), 1.0)


@one_hot.misconception
def loop_over_a_list(tokens, d_vocab):
    """A loop over a plain list of tokens.

    In a batch it goes through the sequences, and puts all ones of each into one vector. Which shape
    must the zeros have for every token to have a vector?
    """
    out = torch.zeros(len(tokens), d_vocab, device=tokens.device)
    for i, token in enumerate(tokens):
        out[i, token] = 1.0
    return out
