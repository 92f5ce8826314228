"""What `generate_until` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks.lesson4_decoding.shared import (
    EOS,
    GENERATES,
    NEVER,
    PROMPTS,
    past_the_end,
    prompt_with,
    reaching_back,
    stops_at,
)
from grader.inside.forbidden import Forbidden
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear_continuation

if TYPE_CHECKING:
    from torch import Tensor
    from transformer_lens.model_bridge import TransformerBridge


generate_until = Exercise(
    "generate_until",
    forbids=Forbidden(methods=GENERATES),
    hints=(
        "BOS and EOS are one token in GPT-2. Which token tells you that the model has ended the "
        "text: one in the sequence, or the one it has just said?",
        "Take greedy_generate, with the tokens as given, and leave the loop when the newest "
        "prediction is eos_token_id. Append it before you look.",
    ),
)


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
        new = clear_continuation(reference, tokens, 4)
        assert new is not None
        yield Case(reference, tokens, 4, eos_token_id=NEVER)
        if 0 not in new:  # a token like any other, and not none
            past = new[0].tolist().index(EOS) + 2
            yield Case(reference, tokens, past, eos_token_id=0)


@generate_until.check(points=5, of_tokens=True)
def an_eos_in_the_prompt(draw: Draw, reference: TransformerBridge) -> Cases:
    """An EOS that the prompt holds already, its BOS for one, stops nothing."""
    for text in ("", "One<|endoftext|>{}", "{}<|endoftext|>"):

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


@torch.no_grad()
def appended(model, tokens):
    return torch.cat([tokens, model(tokens)[:, -1].argmax(dim=-1, keepdim=True)], dim=1)


@generate_until.misconception
def eos_anywhere_stops_before_it_began(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A loop that runs while there is no EOS in the sequence.

    In GPT-2 EOS and BOS are the same token, so that with a BOS in front nothing is ever predicted.
    Which of the tokens can tell that the model wants to end?
    """
    for _ in range(max_new_tokens):
        if (tokens == eos_token_id).any():
            break
        tokens = appended(model, tokens)
    return tokens


@generate_until.misconception
def eos_anywhere_but_in_the_first_place(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A search for EOS in the whole sequence but its first token.

    That lets the BOS pass, but a prompt may hold an EOS elsewhere, as where one text follows
    another. Which of the tokens has the model said?
    """
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if (tokens[:, 1:] == eos_token_id).any():
            break
    return tokens


@generate_until.misconception
def endoftext_stops_as_well(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A stop at <|endoftext|> as well, whatever eos_token_id says.

    A caller who names another token wants to go on past this one. How many tokens are there that
    stop?
    """
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() in (eos_token_id, EOS):
            break
    return tokens


@generate_until.misconception
def id_0_taken_for_none(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The id 0 taken for no id at all.

    In Python 0 is as good as False, so that `eos_token_id or ...` gives something else for it. Is
    there a need for a default here?
    """
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() == (eos_token_id or EOS):
            break
    return tokens


@generate_until.misconception
def one_token_too_many(model, tokens, max_new_tokens, eos_token_id=EOS):
    """One token more than the maximum.

    max_new_tokens may be 0, and then nothing is added. Is there a token that you append before or
    after the loop?
    """
    for _ in range(max_new_tokens + 1):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() == eos_token_id:
            break
    return tokens


@generate_until.misconception
def only_the_new_tokens(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The new tokens alone, without those that it was given.

    What comes back is the whole sequence, from its first token on.
    """
    given = tokens.shape[1]
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() == eos_token_id:
            break
    return tokens[:, given:]


@generate_until.misconception
def a_bos_put_in_front(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A BOS put in front of the tokens.

    They are taken as they are. Where they should have a BOS, they have one.
    """
    tokens = torch.cat([torch.full_like(tokens[:, :1], EOS), tokens], dim=1)
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() == eos_token_id:
            break
    return tokens


@generate_until.misconception
def a_bos_put_in_front_where_there_is_none(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A BOS put in front of tokens that have none.

    They are taken as they are, with one or without. Who should decide that?
    """
    if tokens[0, 0] != EOS:
        tokens = torch.cat([torch.full_like(tokens[:, :1], EOS), tokens], dim=1)
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() == eos_token_id:
            break
    return tokens


# forum: the input of a loop with a KV cache, used without one
@generate_until.misconception
def only_the_new_token_fed(model, tokens, max_new_tokens, eos_token_id=EOS):
    """The new token alone fed back, as if the model remembered the rest.

    The model keeps nothing from one call to the next (without a KV cache, which we do without).
    What must it see to know what came before?
    """
    new = tokens
    for _ in range(max_new_tokens):
        new = appended(model, new)[:, -1:]
        tokens = torch.cat([tokens, new], dim=1)
        if new.item() == eos_token_id:
            break
    return tokens


@generate_until.misconception
def one_row_of_tokens(model, tokens, max_new_tokens, eos_token_id=EOS):
    """A row of tokens without its batch.

    The tokens are right. What comes back is a batch with one sequence, as it was given: which step
    takes the first dimension away?
    """
    for _ in range(max_new_tokens):
        tokens = appended(model, tokens)
        if tokens[0, -1].item() == eos_token_id:
            break
    return tokens[0]


@generate_until.misconception
def output_with_an_attribute(model, tokens, max_new_tokens, eos_token_id=EOS):
    """Logits sought in an attribute of the output.

    Models of Hugging Face's give back an object that holds `logits`. This one gives you the tensor
    itself: what is left to do with it?
    """
    with torch.no_grad():
        for _ in range(max_new_tokens):
            new = model(tokens).logits[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if new.item() == eos_token_id:
                break
    return tokens
