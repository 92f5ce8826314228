"""Checks for lesson 4: argmax decoding and greedy generation."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from grader import agree, observe
from grader.checks import texts
from grader.draw import Draw
from grader.exercise import Case, Cases, Exercise
from grader.forbidden import Forbidden
from grader.near_ties import clear, clear_continuation
from grader.reference import available_devices

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge

EOS = 50256
NEVER = 50255  # " gazed": hardly what comes next, so an EOS that does not come
ENDINGS = ['"the children were playing in the garden', 'red: of the color of blood; "a red blood']
PROMPTS = [*texts.SENTENCES, "Ralph", "A kind of", "The", "def", "of the", "one who"]


def clear_logits(draw: Draw, *shape: int, scale: float = 3) -> Tensor:
    return draw.until(lambda: draw.normal(*shape, scale=scale), clear)


def past_the_end(reference: TransformerBridge) -> Tensor | None:
    """A prompt after which the reference, within four tokens, says EOS and goes on. Not every
    reference does so soon: None where none of the prompts leads there."""
    for prompt in ENDINGS:
        tokens: Tensor = reference.to_tokens(prompt)
        new = clear_continuation(reference, tokens, 4)
        if new is not None and EOS in new[0].tolist()[:-1]:
            return tokens
    return None


@cache
@torch.no_grad()
def expecting_an_end(reference: TransformerBridge) -> str | None:
    """A text after which the reference expects EOS. None where none of these texts is so."""
    for prompt in ENDINGS:
        new = clear_continuation(reference, reference.to_tokens(prompt), 4)
        if new is None or EOS not in new[0]:
            continue
        text: str = prompt + reference.tokenizer.decode(new[0, : new[0].tolist().index(EOS)])
        logits = reference(text)
        if clear(logits) and logits[0, -1].argmax() == EOS:
            return text
    return None


@cache
def reaching_back(reference: TransformerBridge) -> str | None:
    """A prompt after which the reference says something else if it sees no more than the last 16
    tokens, and if there is one also if it sees no more than the last 32. None where none of these
    texts is such a prompt."""
    second_best = None
    for i in reversed(range(len(texts.SENTENCES) - 3)):  # the last ones break off
        prompt = " ".join(texts.SENTENCES[i : i + 4])
        tokens = reference.to_tokens(prompt)
        if tokens.shape[1] < 36:
            continue
        new, *cropped = (clear_continuation(reference, tokens[:, -n:], 1) for n in (1024, 32, 16))
        of_32, of_16 = (not (new is None or c is None or c.equal(new)) for c in cropped)
        if of_32 and of_16:
            return prompt
        if of_16:
            second_best = prompt
    return second_best


def prompt_with(draw: Draw, reference: TransformerBridge, n: int, prepend_bos: bool = True) -> str:
    """A prompt whose n-token greedy continuation has no near-tie in it."""

    def is_clear(prompt: str) -> bool:
        tokens = reference.to_tokens(prompt, prepend_bos=prepend_bos)
        return clear_continuation(reference, tokens, n) is not None

    return draw.until(lambda: draw.pick(PROMPTS), is_clear)


def of_any_size(draw: Draw) -> Cases:
    """Logits whose exp is 0, or infinite, in a float32."""
    yield Case(torch.tensor([[[-200.0, -150.0]]]))
    yield Case(torch.tensor([[[95.0, 100.0]]]))
    yield Case(clear_logits(draw, 2, 3, 5, scale=200))


argmax_decode = Exercise(
    "argmax_decode",
    hints=(
        "There is one row of d_vocab logits for each position of each sequence. Which dimension "
        "holds the choices?",
        "argmax without a dim searches the whole tensor; with a dim it searches along that one, "
        "which then is gone from the shape.",
    ),
)


@argmax_decode.check(points=10)
def at_every_position(draw: Draw) -> Cases:
    """The token with the highest logit, at each position of each sequence."""
    for shape in [(1, 1, 3), (1, 3, 4), (2, 3, 5), (4, 4, 4)]:
        yield Case(clear_logits(draw, *shape))
    yield from of_any_size(draw)


@argmax_decode.misconception
def over_the_positions(logits):
    """Argmax over the positions instead of the vocabulary.

    For each word of the vocabulary you get the position that favours it most. Which dimension
    holds the alternatives that compete for one position?
    """
    return logits.argmax(dim=1)


@argmax_decode.misconception
def over_everything(logits):
    """Argmax without a dimension.

    Without one, the whole tensor counts as a single long row, and one number comes out of it all.
    How many choices must be made here?
    """
    return logits.argmax()


@argmax_decode.misconception
def the_highest_logits(logits):
    """The highest logits themselves, not the tokens that have them.

    A token is known by where its logit stands along the vocabulary, not by how high it is. max
    gives both: which of the two did you take?
    """
    return logits.max(dim=-1).values


@argmax_decode.misconception
def only_the_last_position(logits):
    """Decoding of the last position alone.

    To go on with a text that is all one needs, but the question here is what the model expects
    after each token. Nothing in the sequence is to be picked out.
    """
    return logits[:, -1].argmax(dim=-1)


# course forks: topk(1), or argmax with keepdim, carried over from generation loops
@argmax_decode.misconception
def vocabulary_dimension_kept(logits):
    """A vocabulary dimension of size one, left over.

    The ids are right and their shape has one dimension too many. topk keeps the dimension that it
    searched, and so does keepdim=True; what takes it away?
    """
    return logits.topk(1, dim=-1).indices


@argmax_decode.misconception
def only_the_first_sequence(logits):
    """Decoding of the first sequence of the batch alone.

    With a single text the batch dimension looks like a nuisance, but others may stand beside it.
    Does your answer have as many rows as the logits?
    """
    return logits[0].argmax(dim=-1)


predicted_pairs = Exercise(
    "predicted_pairs",
    hints=(
        "The model makes one prediction per token that it sees, BOS included: about the token "
        "after it. So nothing need be shifted or cut off.",
        "Get the tokens with BOS, run the model on them and take the argmax over the "
        "vocabulary. Then walk over both rows of ids at once.",
        "Turn each id into text on its own, as a list of one id for model.tokenizer.decode; "
        "that gives real spaces where the vocabulary has Ġ.",
    ),
)


@predicted_pairs.check(points=5)
def one_pair_per_token(draw: Draw, reference: TransformerBridge) -> Cases:
    """Each token, BOS included, beside the token that the model expects after it."""
    with torch.no_grad():
        for _ in range(2):
            text = draw.until(
                lambda: draw.pick(texts.SENTENCES), lambda text: clear(reference(text))
            )
            yield Case(reference, text)


@predicted_pairs.check(points=5)
def real_text_on_both_sides(draw: Draw, reference: TransformerBridge) -> Cases:
    """Both are text with real spaces and line breaks, BOS and EOS `<|endoftext|>`."""
    with torch.no_grad():
        for text in ("", " the\n", "naïve café", " Ralph", "x = 1"):
            if clear(reference(text)):
                yield Case(reference, text)
    if (ending := expecting_an_end(reference)) is not None:
        yield Case(reference, ending)


@predicted_pairs.misconception
def no_bos_in_front(model, text):
    """No BOS in front of the text.

    The model has seen every text begin with BOS, and its expectation of the first token stands at
    the BOS. What asks for one when the text becomes tokens?
    """
    with torch.no_grad():
        tokens = model.to_tokens(text, prepend_bos=False)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens[0], expected[0], strict=True)]


@predicted_pairs.misconception
def bos_left_out_of_the_pairs(model, text):
    """BOS left out of the pairs.

    BOS is a token like any other, and what the model expects after it is its idea of how a text
    begins. It gets a pair, too.
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens[0, 1:], expected[0, 1:], strict=True)]


# course forks: predictions cut to [:-1] to compare them with tokens[1:]
@predicted_pairs.misconception
def last_prediction_dropped(model, text):
    """The last prediction dropped, and its token with it.

    To score predictions one drops the last, as nothing came after it to hold it against. Here
    nothing is scored: what does the model expect after the end of the text?
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens)[:, :-1].argmax(dim=-1)
    decode = model.tokenizer.decode
    return [(decode([a]), decode([b])) for a, b in zip(tokens[0], expected[0], strict=False)]


@predicted_pairs.misconception
def beside_the_token_predicted(model, text):
    """Each token beside the prediction of itself, not of what follows.

    The logits at a position are about the token after it. You have moved one side by a place, so
    that each token meets the guess made before it was seen.
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [
        (decode([a]), decode([b])) for a, b in zip(tokens[0, 1:], expected[0, :-1], strict=True)
    ]


@predicted_pairs.misconception
def symbols_of_the_vocabulary(model, text):
    """The vocabulary's symbols, with Ġ for a space, instead of text.

    GPT-2's vocabulary writes each byte as a visible character, a space as Ġ. Looking up its entry
    is not yet decoding: what turns ids back into text?
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    symbols = model.tokenizer.convert_ids_to_tokens
    return list(zip(symbols(tokens[0].tolist()), symbols(expected[0].tolist()), strict=True))


@predicted_pairs.misconception
def stripped(model, text):
    """Tokens with their spaces and line breaks stripped off.

    " the" and "the" are two tokens, and the model tells them apart. The space in front belongs to
    the token; tidying up hides what was predicted.
    """
    with torch.no_grad():
        tokens = model.to_tokens(text)
        expected = model(tokens).argmax(dim=-1)
    decode = model.tokenizer.decode
    return [
        (decode([a]).strip(), decode([b]).strip())
        for a, b in zip(tokens[0], expected[0], strict=True)
    ]


next_token = Exercise(
    "next_token",
    hints=(
        "The prediction at a position is about the token after it. Which position has nothing "
        "after it yet?",
        "Pick the last position of every sequence first, which leaves (batch, d_vocab), and "
        "then take the argmax.",
    ),
)


@next_token.check(points=10)
def at_the_last_position(draw: Draw) -> Cases:
    """One token per sequence: the argmax at its last position."""
    yield Case(torch.tensor([[[-3.0, -1.0, -2.0]]]))
    for shape in [(1, 1, 3), (1, 3, 4), (3, 2, 5), (4, 4, 4)]:
        yield Case(clear_logits(draw, *shape))
    yield from of_any_size(draw)


@next_token.misconception
def at_every_position(logits):
    """A prediction for every position, not only for the last.

    All positions but the last predict tokens that are there already. Which one of them says
    something new?
    """
    return logits.argmax(dim=-1)


@next_token.misconception
def at_the_first_position(logits):
    """The prediction of the first position.

    The first position knows only the first token, and what it predicts is the second. Which one
    has seen the whole sequence?
    """
    return logits[:, 0].argmax(dim=-1)


# course forks: keepdim, because the next line is a torch.cat
@next_token.misconception
def as_a_column(logits):
    """A column of shape (batch, 1) instead of (batch,).

    The tokens are right; the vocabulary's dimension is still there, with size one. That is handy
    for appending, but that is another function's work.
    """
    return logits[:, -1].argmax(dim=-1, keepdim=True)


@next_token.misconception
def of_the_first_sequence(logits):
    """The next token of the first sequence only.

    An index of 0 on the batch is fine while there is one text, and silently loses the others
    when there are more. One token per sequence is wanted.
    """
    return logits[0, -1].argmax(dim=-1)


@next_token.misconception
def last_sequence_for_last_position(logits):
    """The last sequence taken for the last position.

    A single index goes to the first dimension, and here that is the batch. How do you take
    everything of one dimension and the last of the next?
    """
    return logits[-1].argmax(dim=-1)


@next_token.misconception
def the_highest_logit(logits):
    """The highest logit itself, not the token that has it.

    max gives how high and where. A token is known by its place in the vocabulary: which of the two
    is that?
    """
    return logits[:, -1].max(dim=-1).values


append_token = Exercise(
    "append_token",
    hints=(
        "tokens has two dimensions and token has one. What shape must the new column have?",
        "Add a dimension of size one to token with indexing or unsqueeze, then concatenate "
        "along the sequence.",
        "torch.cat settles on the wider dtype of the two: convert the column to the dtype and "
        "device of tokens before, or the result after.",
    ),
)


@append_token.check(points=5, of_tokens=True)
def at_the_end_of_each(draw: Draw) -> Cases:
    """Each sequence gets its own token at the end."""
    for batch, seq in [(1, 2), (2, 3), (3, 3), (4, 1), (2, 0)]:
        yield Case(draw.ids(batch, seq, below=50257), draw.ids(batch, below=50257))


@append_token.check(points=2, observe=observe.dtype)
def keeps_the_dtype(draw: Draw) -> Cases:
    """int32 ids stay int32, although argmax gives int64."""
    yield Case(draw.ids(2, 3, below=50257), draw.ids(2, below=50257))
    yield Case(draw.ids(2, 3, below=50257).int(), draw.ids(2, below=50257))


@append_token.check(points=1, observe=observe.device)
def keeps_the_device(draw: Draw) -> Cases:
    """Ids on an accelerator stay there."""
    for device in available_devices():
        yield Case(draw.ids(2, 3, below=9).to(device), draw.ids(2, below=9).to(device))


@append_token.check(points=2, observe=observe.arguments_after)
def leaves_the_tokens_alone(draw: Draw) -> Cases:
    """The tensors it was given still hold what they held."""
    yield Case(draw.ids(2, 3, below=50257), draw.ids(2, below=50257))


@append_token.misconception
def widened(tokens, token):
    """Concatenation that widens int32 ids to int64.

    When two dtypes meet, torch.cat takes the wider one, and an argmax is always int64. Which of
    your two tensors should say what the result is?
    """
    return torch.cat([tokens, token.unsqueeze(1)], dim=1)


# forum: "Tensors must have same number of dimensions: got 2 and 1"
@append_token.misconception
def no_dimension_added(tokens, token):
    """Concatenation of a matrix with a vector.

    torch.cat wants equal numbers of dimensions. The new tokens form a column of one entry per
    sequence: what shape does a column have?
    """
    return torch.cat([tokens, token], dim=1)


@append_token.misconception
def as_a_row(tokens, token):
    """The new tokens added as a row, that is, as one more sequence.

    The first dimension counts sequences, the second runs along each of them. Along which of the
    two does a sequence grow?
    """
    return torch.cat([tokens, token[None].to(tokens)], dim=0)


@append_token.misconception
def in_front(tokens, token):
    """The new token in front of the sequence.

    Text grows to the right: a prediction is about what follows everything that is there. In which
    order do the pieces go?
    """
    return torch.cat([token[:, None].to(tokens), tokens], dim=1)


@append_token.misconception
def window_slides(tokens, token):
    """A sliding window: the oldest token dropped for the new one.

    For a context that is full one might do that, but nothing is full here, and BOS is the first to
    go. How long should each sequence be afterwards?
    """
    return torch.cat([tokens[:, 1:], token[:, None].to(tokens)], dim=1)


# course forks: .item(), from loops over a single text
@append_token.misconception
def batch_of_one(tokens, token):
    """A batch of one taken for granted, with .item().

    .item() is for a tensor with one entry. With several sequences there is a token for each of
    them, and none has to leave the tensor world.
    """
    return torch.cat([tokens, torch.tensor([[token.item()]]).to(tokens)], dim=1)


token_accuracy = Exercise(
    "token_accuracy",
    hints=(
        "The prediction at position i is about the token at i + 1. Which predictions, and which "
        "tokens, have no partner?",
        "Compare the predictions up to the last but one with the tokens from the second on. "
        "Each result belongs to a token: whose mask value decides whether it counts?",
        "Select the entries of the comparison whose token has mask 1, over all rows at once, "
        "and take their mean as floats.",
    ),
)


def half_right(draw: Draw, lengths: list[int], d_vocab: int, pad: int) -> Case:
    """Logits that predict the next token now and then; row i has so many tokens, then padding."""
    batch, seq = len(lengths), max(lengths)
    mask = (torch.arange(seq) < torch.tensor(lengths)[:, None]).long()
    tokens = draw.ids(batch, seq, below=d_vocab).where(mask == 1, torch.tensor(pad))
    logits = clear_logits(draw, batch, seq, d_vocab)
    wants = torch.cat([tokens[:, 1:], tokens[:, :1]], dim=1)
    # Of the token to come: 2 is second place, 3 the last. What must not count is right, always:
    # predictions of padding and, at the last position, of a token that is not there.
    rank = draw.ids(batch, seq, below=4) * mask.roll(-1, dims=1)
    rank[:, -1] = 0
    rank[0, 0] = 3
    logits.scatter_(2, wants[..., None], torch.where(rank == 3, -30.0, 30.0)[..., None])
    logits += 90 * F.one_hot((wants + 1) % d_vocab, d_vocab) * (rank == 2)[..., None]
    return Case(logits, tokens, mask)


@token_accuracy.check(points=4)
def right_over_all(draw: Draw) -> Cases:
    """The fraction of tokens, the first left out, that were the most likely ones."""
    yield half_right(draw, [3], 3, pad=0)
    yield half_right(draw, [3, 3], 3, pad=0)  # few enough logits to be shown
    yield half_right(draw, [6, 6, 6], 5, pad=0)


@token_accuracy.check(points=4)
def padding_does_not_count(draw: Draw) -> Cases:
    """Padding, which the mask alone can tell, is neither right nor wrong."""
    yield half_right(draw, [3, 2], 3, pad=2)
    for lengths in ([4, 2], [6, 2, 4], [5, 1]):
        yield half_right(draw, lengths, 5, pad=4)
    # As GPT-2 is padded: with the token that also ends a text, and begins the next.
    a, b, c, d = draw.shuffled(range(1000))[:4]
    tokens = torch.tensor([[EOS, a, EOS, b, c], [EOS, d, EOS, EOS, EOS]])
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    guesses = torch.tensor([[a, EOS, 0, c, 0], [0, EOS, EOS, EOS, EOS]])
    yield Case(torch.zeros(2, 5, 50257).scatter_(-1, guesses[..., None], 5.0), tokens, mask)


@token_accuracy.check(points=2)
def on_the_live_model(draw: Draw, reference: TransformerBridge) -> Cases:
    """It works on the reference's own predictions."""
    with torch.no_grad():
        text = draw.until(lambda: draw.pick(texts.SENTENCES), lambda text: clear(reference(text)))
        tokens = reference.to_tokens(text)
        yield Case(reference(tokens), tokens, torch.ones_like(tokens))


@token_accuracy.misconception
def not_shifted(logits, tokens, attention_mask):
    """Predictions compared with the tokens that they stand at, without a shift.

    The logits at position i were computed from the token at i; to guess that one is no feat. About
    which token are they?
    """
    is_right = (logits.argmax(dim=-1) == tokens) * attention_mask
    return is_right.sum() / attention_mask.sum()


@token_accuracy.misconception
def shifted_the_wrong_way(logits, tokens, attention_mask):
    """A shift in the wrong direction.

    You hold each prediction against the token before it. Which end must the predictions lose, and
    which end the tokens?
    """
    is_right = logits.argmax(dim=-1)[:, 1:] == tokens[:, :-1]
    return is_right[attention_mask[:, 1:] == 1].float().mean()


@token_accuracy.misconception
def padding_counted(logits, tokens, attention_mask):
    """Padding counted like text.

    Padding makes the rows equally long and is nobody's prediction to get right. What tells you
    which of the tokens are real?
    """
    return (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]).float().mean()


# forum: labels of -100 wherever the id is that of padding, which is that of EOS
@token_accuracy.misconception
def padding_told_by_its_id(logits, tokens, attention_mask):
    """Padding told by the id 50256, and not by the mask.

    GPT-2 is padded with the token that also ends a text. That one has to be foreseen, and other
    models pad with another. Which argument knows what is padding?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[tokens[:, 1:] != EOS].float().mean()


@token_accuracy.misconception
def eos_thrown_away_with_the_padding(logits, tokens, attention_mask):
    """Every <|endoftext|> left out, padding or not.

    The mask leaves padding out already. Where it is 1, <|endoftext|> ends a text, and to foresee
    that is a prediction like any other.
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[(attention_mask[:, 1:] == 1) & (tokens[:, 1:] != EOS)].float().mean()


@token_accuracy.misconception
def padding_counted_as_wrong(logits, tokens, attention_mask):
    """Padding counted as wrong: masked above the line but not below.

    What is masked out adds nothing to the hits, but a mean still divides by all places. By how
    many should it divide?
    """
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * attention_mask[:, 1:]
    return is_right.float().mean()


@token_accuracy.misconception
def first_tokens_in_the_denominator(logits, tokens, attention_mask):
    """A denominator that counts the first tokens as well.

    Nothing comes before the first token, so no prediction of it can be right or wrong. Of how many
    tokens is this a fraction?
    """
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * attention_mask[:, 1:]
    return is_right.sum() / attention_mask.sum()


# forum: which end of the loss mask to cut off
@token_accuracy.misconception
def mask_of_the_token_before(logits, tokens, attention_mask):
    """The mask of the token predicted from, not of the one predicted.

    After the last real token comes padding, and your mask still counts the prediction of it. Whose
    mask value decides: that of the token seen or that of the token to come?
    """
    is_right = logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]
    return is_right[attention_mask[:, :-1] == 1].float().mean()


@token_accuracy.misconception
def mean_of_the_rows(logits, tokens, attention_mask):
    """A mean of the sequences' accuracies.

    That gives a short sequence as much weight as a long one, and one with a single token divides
    by zero. What is wanted is a fraction of all tokens together.
    """
    mask = attention_mask[:, 1:]
    is_right = (logits.argmax(dim=-1)[:, :-1] == tokens[:, 1:]) * mask
    return (is_right.sum(dim=1) / mask.sum(dim=1)).mean()


greedy_generate = Exercise(
    "greedy_generate",
    forbids=Forbidden(methods=("generate",)),
    hints=(
        "What you need for one step you have written already: next_token and append_token. What "
        "does each round of the loop run the model on?",
        "model.to_tokens(prompt, prepend_bos=...) gives the start. In each of n_tokens rounds, "
        "run the model on all tokens so far and append the new one.",
        "Put it all under torch.no_grad(), and return the tokens as they are after the last "
        "round: prompt, then predictions. No EOS test.",
    ),
)


@greedy_generate.check(points=9, of_tokens=True)
def prompt_then_n_tokens(draw: Draw, reference: TransformerBridge) -> Cases:
    """The prompt with its BOS, then exactly n tokens, each the argmax after all before it."""
    for n in (0, 3):
        yield Case(reference, prompt_with(draw, reference, n), n)
    yield Case(reference, reaching_back(reference) or prompt_with(draw, reference, 1), 1)
    # The tokens of its text, taken anew, are not the tokens that it has: no going through text.
    for prompt in ("the state of being unable to ", "Once upon a time there was a king who h"):
        if clear_continuation(reference, reference.to_tokens(prompt), 2) is not None:
            yield Case(reference, prompt, 2)
    # A prompt that begins with <|endoftext|> gets a BOS like any other.
    yield Case(reference, "<|endoftext|>" + draw.pick(PROMPTS), 0)


@greedy_generate.check(points=4, of_tokens=True)
def without_bos(draw: Draw, reference: TransformerBridge) -> Cases:
    """With prepend_bos=False the prompt is taken as it is."""
    prompt = prompt_with(draw, reference, 2, prepend_bos=False)
    yield Case(reference, prompt, 2, prepend_bos=False)


@greedy_generate.check(points=5, of_tokens=True)
def eos_stops_nothing(draw: Draw, reference: TransformerBridge) -> Cases:
    """It goes on to n tokens, also after the model has predicted EOS."""
    if (tokens := past_the_end(reference)) is not None:
        yield Case(reference, reference.tokenizer.decode(tokens[0, 1:].tolist()), 4)
    else:
        yield Case(reference, prompt_with(draw, reference, 4), 4)


@greedy_generate.check(points=2, observe=observe.builds_graph)
def builds_no_graph(draw: Draw, reference: TransformerBridge) -> Cases:
    """The forward passes keep nothing for a backward pass."""
    yield Case(reference, draw.pick(PROMPTS), 2)


@greedy_generate.misconception
def only_the_new_tokens(model, prompt, n_tokens, prepend_bos=True):
    """The new tokens alone, without the prompt.

    What comes back is the whole sequence, from its first token on. The prompt is part of it, and
    so is BOS.
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens[:, tokens.shape[1] - n_tokens :]


@greedy_generate.misconception
def always_a_bos(model, prompt, n_tokens, prepend_bos=True):
    """A BOS in front of every prompt, whatever prepend_bos says.

    model.to_tokens adds one unless it is told otherwise, and tokens that are one longer make the
    model predict something else. What does it have to be told?
    """
    tokens = model.to_tokens(prompt)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def stops_at_eos(model, prompt, n_tokens, prepend_bos=True):
    """A stop at EOS.

    That is the next exercise. Here the number of tokens is fixed, and a model that has ended one
    text goes on with another.
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if new.item() == model.tokenizer.eos_token_id:
                break
    return tokens


@greedy_generate.misconception
def gradients_kept(model, prompt, n_tokens, prepend_bos=True):
    """Inference that keeps everything for a backward pass.

    The tokens are right. But each forward pass stores its intermediate results for gradients that
    nobody will ask for; how do you tell PyTorch so?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    for _ in range(n_tokens):
        new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
        tokens = torch.cat([tokens, new], dim=1)
    return tokens


# forum: the input of a loop with a KV cache, used without one
@greedy_generate.misconception
def only_the_new_token_fed(model, prompt, n_tokens, prepend_bos=True):
    """The new token alone fed back, as if the model remembered the rest.

    The model keeps nothing from one call to the next (without a KV cache, which we do without).
    What must it see to know what came before?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    new = tokens
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(new)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def logits_never_updated(model, prompt, n_tokens, prepend_bos=True):
    """The logits of the prompt used again for every new token.

    Each token changes what comes after it. Your model runs once, on the prompt, and so its last
    word on the matter is repeated; where does the forward pass belong?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        logits = model(tokens)
    for _ in range(n_tokens):
        tokens = torch.cat([tokens, logits[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    return tokens


@greedy_generate.misconception
def through_text(model, prompt, n_tokens, prepend_bos=True):
    """A loop through text, tokenised anew in every round.

    Text that is decoded and encoded again may come apart into other tokens, as when a word's end
    joins its beginning. What can you append to instead of the string?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[0, -1].argmax()
            prompt += model.tokenizer.decode([new.item()])
            tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    return tokens


generate_until = Exercise(
    "generate_until",
    forbids=Forbidden(methods=("generate",)),
    hints=(
        "BOS and EOS are one token in GPT-2. Which token tells you that the model has ended the "
        "text: one in the sequence, or the one it has just said?",
        "Take greedy_generate, with the tokens as given, and leave the loop when the newest "
        "prediction is eos_token_id. Append it before you look.",
    ),
)


def stops_at(draw: Draw, reference: TransformerBridge, n: int, max_new: int) -> Case:
    """A case in which, by choice of the EOS id, generation ends after n tokens of `max_new`."""

    def make() -> tuple[Tensor, list[int] | None]:
        tokens = reference.to_tokens(draw.pick(PROMPTS))
        new = clear_continuation(reference, tokens, n)
        return tokens, None if new is None else new[0].tolist()

    tokens, new = draw.until(
        make, lambda made: made[1] is not None and made[1].index(made[1][-1]) == n - 1
    )
    assert new is not None
    return Case(reference, tokens, max_new, eos_token_id=new[-1])


@generate_until.check(points=8, of_tokens=True)
def stops_after_eos(draw: Draw, reference: TransformerBridge) -> Cases:
    """The last token is the first EOS that the model predicted."""
    for n in (1, 3):
        yield stops_at(draw, reference, n, max_new=5)


@generate_until.check(points=5, of_tokens=True)
def no_more_than_the_maximum(draw: Draw, reference: TransformerBridge) -> Cases:
    """Never more tokens than allowed, with an EOS or without."""
    yield Case(reference, reference.to_tokens(draw.pick(PROMPTS)), 0)
    prompt = reaching_back(reference) or prompt_with(draw, reference, 1)
    yield Case(reference, reference.to_tokens(prompt), 1, eos_token_id=NEVER)
    yield stops_at(draw, reference, 2, max_new=2)
    if (tokens := past_the_end(reference)) is not None:
        yield Case(reference, tokens, 4, eos_token_id=NEVER)


@generate_until.check(points=5, of_tokens=True)
def an_eos_in_the_prompt(draw: Draw, reference: TransformerBridge) -> Cases:
    """An EOS that the prompt holds already, its BOS for one, stops nothing."""
    for text in ("One<|endoftext|>{}", "{}<|endoftext|>"):

        def make(text: str = text) -> Tensor:
            tokens: Tensor = reference.to_tokens(text.format(draw.pick(PROMPTS)))
            return tokens

        def goes_on(tokens: Tensor) -> bool:
            new = clear_continuation(reference, tokens, 2)
            return new is not None and EOS not in new[0, :1].tolist()

        yield Case(reference, draw.until(make, goes_on), 2)


@generate_until.check(points=2, of_tokens=True)
def adds_no_bos(draw: Draw, reference: TransformerBridge) -> Cases:
    """The tokens are taken as they are, with a BOS in front or without."""
    prompt = prompt_with(draw, reference, 2, prepend_bos=False)
    yield Case(reference, reference.to_tokens(prompt, prepend_bos=False), 2, eos_token_id=NEVER)


@generate_until.misconception
def eos_left_out(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The EOS itself left out of the result.

    EOS is a prediction like the others and the last token of what is asked for. What comes first
    in your loop, to look at the new token or to append it?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            if new.item() == eos_token_id:
                break
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@generate_until.misconception
def eos_anywhere_in_the_sequence(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A search for EOS in the whole sequence, prompt included.

    In GPT-2 EOS and BOS are the same token, so nearly every prompt has one already. Which of the
    tokens can tell that the model wants to end?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if (tokens == eos_token_id).any():
                break
    return tokens


# course forks: while with the stop condition on the sequence's last token
@generate_until.misconception
def prompt_that_ends_in_eos(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A look at the last token before anything has been predicted.

    A prompt may end in EOS: BOS alone does, the plainest prompt of all. When do you ask for the
    first time whether the text has ended?
    """
    end = tokens.shape[1] + max_new_tokens
    with torch.no_grad():
        while tokens[0, -1] != eos_token_id and tokens.shape[1] < end:
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@generate_until.misconception
def never_stops(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Generation up to the maximum, whatever is predicted.

    The maximum is for texts that do not end by themselves. If your loop has a test for EOS, is it
    one that can ever be true?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@generate_until.misconception
def eos_of_the_tokenizer(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A fixed EOS, whatever eos_token_id says.

    <|endoftext|> is only the default. A caller may want to stop at a line break instead; where does
    your loop learn which token that is?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if new.item() == model.tokenizer.eos_token_id:
                break
    return tokens


# forum: max_length and max_new_tokens of Hugging Face's generate
@generate_until.misconception
def maximum_of_the_whole_length(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The maximum taken for the whole length, prompt included.

    max_new_tokens limits what is added, however long the prompt is. What should the length be
    compared with?
    """
    with torch.no_grad():
        while tokens.shape[1] < max_new_tokens:
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if new.item() == eos_token_id:
                break
    return tokens


generate_batch = Exercise(
    "generate_batch",
    forbids=Forbidden(methods=("generate",)),
    hints=(
        "Each row is either running or has ended, and stays so. How can you keep track of which "
        "rows still run?",
        "Run the model on tokens[running] only. Every other row gets eos_token_id for this "
        "round; one more column for all rows.",
        "Make a column full of eos_token_id, overwrite the running rows with their predictions, "
        "append it, and keep as running those that did not just say EOS.",
    ),
)


def ending_apart(draw: Draw, reference: TransformerBridge) -> list[Case]:
    """Three prompts, of which one ends before the others by choice of the EOS id: the first, the
    second and the third of them."""
    max_new = 4

    def make() -> tuple[Tensor, Tensor | None]:
        tokens = reference.to_tokens(draw.shuffled(texts.SENTENCES[:5])[:3])
        tokens = tokens[:, : draw.integer(3, 6)]
        return tokens, clear_continuation(reference, tokens, max_new)

    def eos_of(new: Tensor | None) -> int | None:
        """A token that the first row says before its last step, and the others later or never."""
        if new is None:
            return None
        rows = new.tolist()
        for token in rows[0][1:3]:
            end, *others = (row.index(token) if token in row else max_new for row in rows)
            if end < max_new - 1 and all(end < other for other in others):
                return int(token)
        return None

    tokens, new = draw.until(make, lambda made: eos_of(made[1]) is not None)
    eos = eos_of(new)
    assert eos is not None
    return [Case(reference, tokens.roll(i, dims=0), max_new, eos_token_id=eos) for i in range(3)]


def never_ending(draw: Draw, reference: TransformerBridge, n: int) -> Case:
    """Two prompts and an EOS that does not come."""

    def make() -> Tensor:
        tokens: Tensor = reference.to_tokens(draw.shuffled(texts.SENTENCES[:5])[:2])
        return tokens[:, :5]

    tokens = draw.until(make, lambda t: clear_continuation(reference, t, n) is not None)
    return Case(reference, tokens, n, eos_token_id=NEVER)


@generate_batch.check(points=6, of_tokens=True)
def each_as_if_alone(draw: Draw, reference: TransformerBridge) -> Cases:
    """Every sequence is continued as it would be alone, then filled up with EOS."""
    yield never_ending(draw, reference, 2)
    yield from ending_apart(draw, reference)[1:]
    if (prompt := reaching_back(reference)) is not None:
        yield Case(reference, reference.to_tokens(prompt), 1, eos_token_id=NEVER)


@generate_batch.check(points=3, of_tokens=True)
def an_eos_in_the_prompt(draw: Draw, reference: TransformerBridge) -> Cases:
    """An EOS that a prompt holds already, its BOS for one, stops nothing."""

    def make() -> Tensor:
        tokens: Tensor = reference.to_tokens(draw.shuffled(texts.SENTENCES[:5])[:2])[:, :5]
        tokens[1, -1] = EOS
        return tokens

    def goes_on(tokens: Tensor) -> bool:
        new = clear_continuation(reference, tokens, 2)
        return new is not None and EOS not in new[:, :1]

    yield Case(reference, draw.until(make, goes_on), 2)


@generate_batch.check(points=4, of_tokens=True)
def as_long_as_the_longest(draw: Draw, reference: TransformerBridge) -> Cases:
    """The result ends where the last sequence does, or at the maximum."""
    yield never_ending(draw, reference, 0)
    case = stops_at(draw, reference, 2, max_new=6)
    args, kwargs = case.arguments()
    yield Case(reference, args[1].repeat(2, 1), 6, **kwargs)
    if (tokens := past_the_end(reference)) is not None:
        yield Case(reference, tokens, 4, eos_token_id=NEVER)
        yield Case(reference, tokens.repeat(2, 1), 4)


@generate_batch.check(
    points=4, observe=observe.result_and_work, agree=agree.no_more_work, of_tokens=True
)
def finished_rows_do_not_run(draw: Draw, reference: TransformerBridge) -> Cases:
    """A sequence that has ended is not run through the model again."""
    yield ending_apart(draw, reference)[0]


@generate_batch.check(
    points=3, observe=observe.result_and_work, agree=agree.no_more_work, of_tokens=True
)
def stops_when_all_have_ended(draw: Draw, reference: TransformerBridge) -> Cases:
    """Once every sequence has ended the model is not called again."""
    case = stops_at(draw, reference, 2, max_new=6)
    args, kwargs = case.arguments()
    yield Case(reference, args[1].repeat(2, 1), 6, **kwargs)


# issues: "generate does not stop after EOS with a batch", in several projects
@generate_batch.misconception
def ended_rows_write_on(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Rows that write on after their EOS.

    You know which rows have ended, and stop when all have, but until then each of them gets what
    the model predicts. What should stand there instead?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended |= new == eos_token_id
            if ended.all():
                break
    return tokens


@generate_batch.misconception
def ended_rows_run_on(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Ended rows masked in the output, yet still run through the model.

    The tokens are right, and part of the work is for nothing: what the model says about an ended
    row is overwritten. Which rows need to go in at all?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            new[ended] = eos_token_id
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended |= new == eos_token_id
            if ended.all():
                break
    return tokens


@generate_batch.misconception
def first_end_ends_all(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A stop for all as soon as one row has ended.

    Each row ends by itself, and the others still have something to say. any or all?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            if (new == eos_token_id).any():
                break
    return tokens


@generate_batch.misconception
def never_stops_early(model, tokens, max_new_tokens, eos_token_id=EOS):
    """All the way to the maximum, although every row has ended.

    When no row is left, each further round runs the model for nothing and adds a column of EOS.
    What is true of the ended rows then?
    """
    ended = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1)
            new[ended] = eos_token_id
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended |= new == eos_token_id
    return tokens


@generate_batch.misconception
def eos_in_the_prompt_ends_a_row(model, tokens, max_new_tokens, eos_token_id=EOS):
    """An EOS in the prompt taken for the end of its row.

    BOS is the same token as EOS, so a look at the whole row finds every row ended before it
    began. Which tokens may decide?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            running = ~(tokens == eos_token_id).any(dim=1)
            if not running.any():
                break
            new = torch.full_like(tokens[:, 0], eos_token_id)
            new[running] = model(tokens[running])[:, -1].argmax(dim=-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
    return tokens


@generate_batch.misconception
def row_by_row(model, tokens, max_new_tokens, eos_token_id=EOS):
    """One sequence after the other, padded at the end.

    The tokens are right, but the model runs once per token and sequence, where one pass could
    serve all rows. A batch costs hardly more time than a row: how can they go in together?
    """
    rows = []
    with torch.no_grad():
        for row in tokens:
            for _ in range(max_new_tokens):
                new = model(row[None])[0, -1].argmax()
                row = torch.cat([row, new[None]])
                if new.item() == eos_token_id:
                    break
            rows.append(row)
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=eos_token_id)
