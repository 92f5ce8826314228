"""What `greedy_generate` of lesson 4 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks.lesson4_decoding.shared import (
    EOS,
    GENERATES,
    PROMPTS,
    past_the_end,
    prompt_with,
    reaching_back,
)
from grader.inside import observe
from grader.inside.forbidden import Forbidden
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise
from grader.verdict.near_ties import clear_continuation

if TYPE_CHECKING:
    from transformer_lens.model_bridge import TransformerBridge


greedy_generate = Exercise(
    "greedy_generate",
    forbids=Forbidden(methods=GENERATES),
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
    # A prompt that begins with <|endoftext|> gets a BOS like any other, and none is tidied up.
    for prompt in ("<|endoftext|>" + draw.pick(PROMPTS), "", "\r\n The\t "):
        yield Case(reference, prompt, 0)


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


def continued(model, tokens, n_tokens):
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def never_a_bos(model, prompt, n_tokens, prepend_bos=True):
    """No BOS in front of any prompt, whatever prepend_bos says.

    The model has seen every text begin with BOS, and predicts something else without. Where does
    your code look at the argument?
    """
    return continued(model, model.to_tokens(prompt, prepend_bos=False), n_tokens)


@greedy_generate.misconception
def no_bos_where_the_prompt_has_one(model, prompt, n_tokens, prepend_bos=True):
    """No BOS where the prompt begins with <|endoftext|> itself.

    The prompt may say what it likes, also that; the BOS stands before all of it. On what alone
    should it depend whether there is one?
    """
    has_one = prompt.startswith(model.tokenizer.bos_token)
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos and not has_one)
    return continued(model, tokens, n_tokens)


@greedy_generate.misconception
def two_bos(model, prompt, n_tokens, prepend_bos=True):
    """A second BOS in front of the prompt.

    Look at what `model.to_tokens(prompt)` begins with: does the model leave that for you to do?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    if prepend_bos:
        tokens = torch.cat([torch.full_like(tokens[:, :1], EOS), tokens], dim=1)
    return continued(model, tokens, n_tokens)


@greedy_generate.misconception
def prompt_stripped(model, prompt, n_tokens, prepend_bos=True):
    """Spaces and line breaks stripped from the prompt.

    They are tokens, or parts of them, and the model goes on in another way after "The " than after
    "The". Is it yours to tidy up?
    """
    tokens = model.to_tokens(prompt.strip(), prepend_bos=prepend_bos)
    return continued(model, tokens, n_tokens)


@greedy_generate.misconception
def one_token_too_many(model, prompt, n_tokens, prepend_bos=True):
    """One token too many.

    n_tokens are added to the prompt, and 0 adds nothing. How many times does your loop run, and is
    there a token before it or after it?
    """
    return continued(model, model.to_tokens(prompt, prepend_bos=prepend_bos), n_tokens + 1)


@greedy_generate.misconception
def one_token_too_few(model, prompt, n_tokens, prepend_bos=True):
    """One token too few.

    n_tokens are added to the prompt. How many times does your loop run, and is the last prediction
    appended, too?
    """
    return continued(model, model.to_tokens(prompt, prepend_bos=prepend_bos), n_tokens - 1)


@greedy_generate.misconception
def length_of_the_whole(model, prompt, n_tokens, prepend_bos=True):
    """n_tokens taken for the length of the whole.

    It says how many are added, however long the prompt is. What should the length be compared with?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    return continued(model, tokens, n_tokens - tokens.shape[1])


@greedy_generate.misconception
def from_the_first_position(model, prompt, n_tokens, prepend_bos=True):
    """Predictions of the first position.

    It knows only the first token, and says the same in every round. Which position has seen the
    whole sequence?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, 0].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def from_the_last_but_one_position(model, prompt, n_tokens, prepend_bos=True):
    """Predictions of the last position but one.

    They are about the last token, which is there already. Which position predicts something new?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens)[:, -2].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def sampled(model, prompt, n_tokens, prepend_bos=True):
    """Tokens drawn at random, in place of the most likely ones.

    That is sampling. Greedy decoding leaves nothing to chance: which token does it take?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = torch.multinomial(model(tokens)[:, -1].softmax(dim=-1), 1)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def output_with_an_attribute(model, prompt, n_tokens, prepend_bos=True):
    """Logits sought in an attribute of the output.

    Models of Hugging Face's give back an object that holds `logits`. This one gives you the tensor
    itself: what is left to do with it?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            new = model(tokens).logits[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
    return tokens


@greedy_generate.misconception
def text_in_place_of_tokens(model, prompt, n_tokens, prepend_bos=True):
    """The text in place of its tokens.

    Decoding is somebody else's work. Asked for are the ids, of which the text is not always enough
    to get them back.
    """
    tokens = continued(model, model.to_tokens(prompt, prepend_bos=prepend_bos), n_tokens)
    return model.tokenizer.decode(tokens[0].tolist())


@greedy_generate.misconception
def one_row_of_tokens(model, prompt, n_tokens, prepend_bos=True):
    """A row of tokens without its batch.

    The tokens are right. What comes back is a batch with one sequence, as the model takes it: which
    step takes the first dimension away?
    """
    return continued(model, model.to_tokens(prompt, prepend_bos=prepend_bos), n_tokens)[0]


@greedy_generate.misconception
def read_off_one_pass(model, prompt, n_tokens, prepend_bos=True):
    """The last n predictions of a single pass.

    All of them but the last are about tokens of the prompt, which are there already. How many new
    tokens does one pass give, and what does the next one need to see?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        expected = model(tokens).argmax(dim=-1)
    return torch.cat([tokens, expected[:, expected.shape[1] - n_tokens :]], dim=1)


@greedy_generate.misconception
def every_prediction_appended(model, prompt, n_tokens, prepend_bos=True):
    """The predictions of all positions appended in each round.

    All of them but the last are about tokens that are there already. How many tokens may a round
    add?
    """
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            tokens = torch.cat([tokens, model(tokens).argmax(dim=-1)], dim=1)
    return tokens
