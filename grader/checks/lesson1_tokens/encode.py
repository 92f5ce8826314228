"""What `encode` of lesson 1 must do, and what people get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from grader.checks import texts
from grader.inside import observe
from grader.inside.forbidden import Forbidden
from grader.verdict import agree
from grader.verdict.draw import Draw
from grader.verdict.exercise import Case, Cases, Exercise

if TYPE_CHECKING:
    from transformers import GPT2Tokenizer


encode = Exercise(
    "encode",
    # What older versions of transformers have for it; the current one leaves it to the call.
    forbids=Forbidden(methods=("build_inputs_with_special_tokens", "prepare_for_model")),
    hints=(
        "Padding and BOS look alike in the ids. At which moment do you still know how long each "
        "text is?",
        "Make one list of ids per text, without the tokenizer's own BOS, and put yours in front. "
        "Then fill up to the longest, and the mask along with it.",
        "Begin with `torch.full` of eos ids and `torch.zeros` for the mask, both integers of "
        "shape (texts, longest row). Write each row, and as many ones, into the first entries.",
    ),
)


@encode.check(points=2, of_tokens=True)
def a_single_text(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """A string is a batch of one."""
    for text in ["Ralph", texts.NOTES, draw.pick(texts.ODD)]:
        yield Case(tokenizer, text)
    yield Case(tokenizer, "a b ")
    yield Case(tokenizer, "", prepend_bos=False)
    yield Case(tokenizer, "\ufeffe\u0301\r\nﬁ\0 ")  # what others tidy away or put together


@encode.check(points=2, of_tokens=True)
def exactly_one_bos(draw: Draw, tokenizer: GPT2Tokenizer, bos_tokenizer: GPT2Tokenizer) -> Cases:
    """One BOS if asked for and none if not, also where the tokenizer adds one by itself."""
    for which in (tokenizer, bos_tokenizer):
        for prepend_bos in (True, False):
            yield Case(which, ["Ralph", draw.pick(texts.SENTENCES)], prepend_bos=prepend_bos)
            yield Case(which, ["<|endoftext|>begins", "Ralph"], prepend_bos=prepend_bos)


@encode.check(points=2, agree=agree.values_and_an_integer_mask, of_tokens=True)
def pads_on_the_right(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """Shorter texts are filled up at the end, and the mask, of integers, is 0 there."""
    yield Case(tokenizer, ["a", "b"])
    yield Case(tokenizer, ["a", " ", "a"])  # neither white space nor a second one is left out
    yield Case(tokenizer, ["Ralph", " Ralph"])
    yield Case(tokenizer, draw.shuffled(texts.SENTENCES)[:4])
    yield Case(tokenizer, draw.shuffled(texts.ODD)[:3], prepend_bos=False)
    # Longer than GPT-2 can read in one go; how much of it to take is the caller's decision.
    yield Case(tokenizer, ["Ralph", " ".join(draw.shuffled(texts.SENTENCES) * 22)])


@encode.check(points=3, of_tokens=True)
def the_mask_is_not_read_off_the_ids(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """BOS, and an `<|endoftext|>` inside a text, have mask 1 although padding has their id."""
    yield Case(tokenizer, "a<|endoftext|>b", prepend_bos=False)
    yield Case(tokenizer, ["", "Ralph"])
    yield Case(tokenizer, ["One text.<|endoftext|>Another", "Short"])
    yield Case(tokenizer, ["ends here<|endoftext|>", "a longer text than that one is"])


@encode.check(points=1, observe=observe.arguments_after)
def leaves_the_texts_alone(draw: Draw, tokenizer: GPT2Tokenizer) -> Cases:
    """The list it was given still holds what it held."""
    for prepend_bos in (True, False):
        yield Case(tokenizer, draw.shuffled(texts.SENTENCES)[:3], prepend_bos=prepend_bos)


@encode.misconception
def mask_read_off_the_ids(tokenizer, texts, prepend_bos=True):
    """A mask that is read off the ids.

    GPT-2 pads with the id that it also begins and ends texts with. So who can still tell padding
    from text once the rows are filled up, and who could before?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    texts = [bos + text for text in texts]
    ids = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")["input_ids"]
    return ids, (ids != tokenizer.eos_token_id).long()


@encode.misconception
def mask_of_ones(tokenizer, texts, prepend_bos=True):
    """A mask of nothing but ones.

    Padding is there to make the rows equally long, and is to be ignored. Where is the mask 0?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    texts = [bos + text for text in texts]
    ids = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")["input_ids"]
    return ids, torch.ones_like(ids)


# course forks: generation in batches wants it so.
@encode.misconception
def padded_on_the_left(tokenizer, texts, prepend_bos=True):
    """Padding on the left.

    There it keeps last tokens aligned, which is handy for generating, but shifts every position of
    the shorter texts. On which side is it wanted here?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts],
        add_special_tokens=False,
        padding=True,
        padding_side="left",
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


# forum: two BOS in front, or one that prepend_bos=False does not turn off.
@encode.misconception
def automatic_bos_on_top(tokenizer, texts, prepend_bos=True):
    """The tokenizer's automatic BOS on top of one's own.

    Some tokenizers put one in front unless told not to; then there are two, or one where none was
    asked for. Who should be in charge of it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer([bos + text for text in texts], padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_left_to_the_tokenizer(tokenizer, texts, prepend_bos=True):
    """BOS left to the tokenizer.

    add_special_tokens permits a tokenizer to add those that it is set up to add, and GPT-2's
    ordinary one adds none. How do you get exactly one from either?
    """
    texts = [texts] if isinstance(texts, str) else texts
    encoding = tokenizer(texts, add_special_tokens=prepend_bos, padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_always(tokenizer, texts, prepend_bos=True):
    """BOS also where none was asked for.

    The callers of prepend_bos=False have their reasons: perhaps the text goes on from an earlier
    one. Where does your code look at that argument?
    """
    texts = [texts] if isinstance(texts, str) else texts
    encoding = tokenizer(
        [tokenizer.bos_token + text for text in texts],
        add_special_tokens=False,
        padding=True,
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_only_where_missing(tokenizer, texts, prepend_bos=True):
    """BOS only where the text does not begin with one.

    A text's own <|endoftext|> belongs to the text. If that does not count, what decides how many
    come before it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    rows = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
    if prepend_bos:
        bos = tokenizer.bos_token_id
        rows = [row if row[:1] == [bos] else [bos, *row] for row in rows]
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), tokenizer.eos_token_id)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row).long()
        mask[i, : len(row)] = 1
    return ids, mask


@encode.misconception
def one_text_without_a_batch(tokenizer, texts, prepend_bos=True):
    """A single text without its batch dimension.

    Code that reads (batch, seq) should not have to ask how many texts there were. What is a batch
    of one?
    """
    bos = tokenizer.bos_token if prepend_bos else ""
    several = [bos + text for text in ([texts] if isinstance(texts, str) else texts)]
    encoding = tokenizer(several, add_special_tokens=False, padding=True, return_tensors="pt")
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return (ids[0], mask[0]) if isinstance(texts, str) else (ids, mask)


@encode.misconception
def truncated(tokenizer, texts, prepend_bos=True):
    """Long texts cut off without a word.

    truncation=True drops whatever GPT-2 could not read at once, and nobody is told. All of the text
    was asked for; how much of it to use is for the caller to decide.
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts],
        add_special_tokens=False,
        padding=True,
        truncation=True,
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def callers_list_changed(tokenizer, texts, prepend_bos=True):
    """The caller's own list of texts changed.

    An assignment to texts[i] is seen by whoever else holds that list, and a second call would put a
    second BOS in front. What would be a list of your own?
    """
    if isinstance(texts, str):
        texts = [texts]
    if prepend_bos:
        for i in range(len(texts)):
            texts[i] = tokenizer.bos_token + texts[i]
    encoding = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def floats_where_there_is_no_token(tokenizer, texts, prepend_bos=True):
    """Floats instead of ids where there is no token.

    From an empty list, `torch.tensor` cannot see that integers were meant. You know the dtype of
    ids; does it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = [tokenizer.bos_token_id] if prepend_bos else []
    rows = [bos + tokenizer.encode(text, add_special_tokens=False) for text in texts]
    longest = max(len(row) for row in rows)
    ids = [row + [tokenizer.eos_token_id] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)


@encode.misconception
def text_taken_for_a_list(tokenizer, texts, prepend_bos=True):
    """A single text taken for a list of characters.

    Python goes through a string letter by letter, and each one became a row. How can you tell one
    text from several?
    """
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def bos_never(tokenizer, texts, prepend_bos=True):
    """BOS never put in front.

    GPT-2's ordinary tokenizer does not do it by itself. Where does your code look at prepend_bos?
    """
    texts = [texts] if isinstance(texts, str) else texts
    encoding = tokenizer(texts, add_special_tokens=False, padding=True, return_tensors="pt")
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def read_off_the_ids_but_for_bos(tokenizer, texts, prepend_bos=True):
    """A mask that is read off the ids, but for BOS.

    BOS is saved this way, and an <|endoftext|> inside a text is not. Who can still tell padding
    from text once the rows are filled up, and who could before?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    mask = (ids != tokenizer.eos_token_id).long()
    if prepend_bos:
        mask[:, 0] = 1
    return ids, mask


@encode.misconception
def read_off_the_end_of_the_ids(tokenizer, texts, prepend_bos=True):
    """A mask that takes every <|endoftext|> at the end for padding.

    A text can end with one of its own, and an empty one is nothing but BOS. When do you still know
    how long each text is?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids = encoding["input_ids"]
    is_text = ids != tokenizer.eos_token_id
    return ids, (is_text.flip(1).cumsum(1).flip(1) > 0).long()


@encode.misconception
def bos_masked_out(tokenizer, texts, prepend_bos=True):
    """A mask that is 0 for BOS.

    BOS is read by the model like the text behind it: it is there for the first token to be
    predicted from. What is the mask to leave out?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    mask = mask.clone()
    if prepend_bos:
        mask[:, 0] = 0
    return ids, mask


@encode.misconception
def mask_turned_round(tokenizer, texts, prepend_bos=True):
    """A mask that is 1 for padding.

    Some layers of PyTorch want it so. Which of the two does the docstring mark by a 1?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return ids, 1 - mask


@encode.misconception
def mask_of_truth_values(tokenizer, texts, prepend_bos=True):
    """A mask of True and False, not of 1 and 0.

    It says the same, but a mask of integers was asked for: it can be summed, and multiplied by.
    Which method makes integers of it?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return ids, mask.bool()


@encode.misconception
def mask_of_floats(tokenizer, texts, prepend_bos=True):
    """A mask of floats.

    Ones and zeros are floats unless told otherwise. Which dtype is asked for?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return ids, mask.float()


@encode.misconception
def ids_alone(tokenizer, texts, prepend_bos=True):
    """The ids alone, without a mask.

    Nobody can tell padding from text afterwards. Which two things should come back?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    return encoding["input_ids"]


@encode.misconception
def padded_with_0(tokenizer, texts, prepend_bos=True):
    """Padding with id 0.

    Many tokenizers pad with 0, and in GPT-2's vocabulary that is an exclamation mark. Which id does
    the docstring name?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return ids.masked_fill(mask == 0, 0), mask


@encode.misconception
def rows_not_padded(tokenizer, texts, prepend_bos=True):
    """Rows of unequal length put into one tensor.

    A tensor has no ragged edge. What has to be done to the shorter rows first?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = [tokenizer.bos_token_id] if prepend_bos else []
    rows = [bos + tokenizer.encode(text, add_special_tokens=False) for text in texts]
    ids = torch.tensor(rows, dtype=torch.long)
    return ids, torch.ones_like(ids)


@encode.misconception
def end_of_text_at_the_end(tokenizer, texts, prepend_bos=True):
    """<|endoftext|> put at the end of each text, too.

    That is how texts are told apart in training, but it was not asked for. Which tokens are there
    besides those of the text?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text + tokenizer.eos_token for text in texts],
        add_special_tokens=False,
        padding=True,
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


@encode.misconception
def texts_stripped(tokenizer, texts, prepend_bos=True):
    """Texts stripped of white space.

    " Ralph" and "Ralph" are different tokens, and a line break at the end is one. What happens to a
    text before it is tokenised?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text.strip() for text in texts],
        add_special_tokens=False,
        padding=True,
        return_tensors="pt",
    )
    return encoding["input_ids"], encoding["attention_mask"]


# other tokenizers: what tiktoken does with disallowed_special=()
@encode.misconception
def end_of_text_spelt_out(tokenizer, texts, prepend_bos=True):
    """<|endoftext|> inside a text spelt out, as seven tokens.

    Those are right for a text that is about the token. Here it is the token itself, with the id
    that padding has, too.
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = [tokenizer.bos_token_id] if prepend_bos else []
    rows = [
        bos + tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
        for text in texts
    ]
    longest = max(len(row) for row in rows)
    ids = torch.full((len(rows), longest), tokenizer.eos_token_id)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row).long()
        mask[i, : len(row)] = 1
    return ids, mask


@encode.misconception
def first_text_only(tokenizer, texts, prepend_bos=True):
    """Only the first of several texts.

    A batch has a row for each. What happens to the others?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return ids[:1, : int(mask[0].sum())], mask[:1, : int(mask[0].sum())]


@encode.misconception
def read_off_the_ids_but_for_the_first(tokenizer, texts, prepend_bos=True):
    """A mask that is read off the ids, but for the first of each row.

    The first token is never padding, and an <|endoftext|> further on need not be either. Who can
    still tell the two apart once the rows are filled up, and who could before?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids = encoding["input_ids"]
    mask = (ids != tokenizer.eos_token_id).long()
    mask[:, :1] = 1
    return ids, mask


@encode.misconception
def mask_of_the_texts_alone(tokenizer, texts, prepend_bos=True):
    """A mask without an entry for BOS.

    BOS makes each row of ids one longer, and the mask of the texts has not heard of it. By what do
    the two have to grow together?
    """
    texts = [texts] if isinstance(texts, str) else texts
    bos = tokenizer.bos_token if prepend_bos else ""
    encoding = tokenizer(
        [bos + text for text in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    ids, mask = encoding["input_ids"], encoding["attention_mask"]
    return ids, mask[:, 1:] if prepend_bos else mask
