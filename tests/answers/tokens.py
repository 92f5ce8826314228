"""Answers to lesson 1: right ones in unlike styles, and wrong ones that are no misconception."""

import codecs
import html
import re
import unicodedata
from collections import Counter, defaultdict
from itertools import accumulate, chain, groupby, pairwise, product, zip_longest

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from answers import (
    ANOTHER_ORDER,
    ARGUMENT_CHANGED,
    SOME_MISSING,
    SOME_TOO_MANY,
    arguments,
    is_right,
    is_wrong,
)
from solutions.lesson1_tokens import BYTE_TO_CHAR, CHAR_TO_BYTE

BOS = 50256


def apart(word):
    pairs, i = [], 0
    while i < len(word) - 1:
        pairs.append((word[i], word[i + 1]))
        i += 2 if word[i : i + 2] == word[i + 1 : i + 3] else 1
    return pairs


def spoken_or(token):
    return bytearray(CHAR_TO_BYTE[c] for c in token).decode(errors="replace")


@is_right("choose_device")
def if_chain(mps, cuda):
    if mps:
        return torch.device("mps:0")
    if cuda:
        return torch.device("cuda:0")
    return torch.device("cpu")


@is_right("choose_device")
def by_table(mps, cuda):
    return torch.device(["cpu", "cuda", "mps", "mps"][2 * mps + cuda])


@is_right("choose_device")
def first_there(mps, cuda):
    there = {"mps": mps, "cuda": cuda, "cpu": True}
    return torch.device(next(filter(there.get, there)))


@arguments("choose_device")
def choose_device_arguments():
    """(mps, cuda)"""
    return st.tuples(st.booleans(), st.booleans())


@is_wrong("choose_device", named="cuda_before_mps")
def overwritten_by_cuda(mps, cuda):
    device = torch.device("cpu")
    if mps:
        device = torch.device("mps")
    if cuda:
        device = torch.device("cuda")
    return device


@is_wrong("choose_device", named="mps_left_out")
def overwritten_by_else(mps, cuda):
    if mps:
        device = "mps"
    if cuda:  # noqa: SIM108
        device = "cuda"
    else:
        device = "cpu"
    return torch.device(device)


is_wrong("choose_device", named="name_of_the_device")(
    lambda mps, cuda: torch.device("mps" if mps else "cuda" if cuda else "cpu").type
)


@is_right("sort_vocab")
def by_inverting(vocab):
    token_of = {i: token for token, i in vocab.items()}
    return [[token_of[i], i] for i in sorted(token_of)]


@is_right("sort_vocab")
def with_numpy(vocab):
    tokens, ids = list(vocab), np.array(list(vocab.values()), dtype=np.int64)
    return [(tokens[i], ids[i]) for i in np.argsort(ids)]


@is_right("sort_vocab")
def by_insertion(vocab):
    out = []
    for token, i in vocab.items():
        at = len(out)
        while at and out[at - 1][1] > i:
            at -= 1
        out.insert(at, (token, i))
    return out


def vocabs(letters):
    """Of distinct tokens with distinct ids, in any order."""
    return st.lists(st.tuples(st.text(letters, min_size=1, max_size=6), st.integers(0, 99))).map(
        lambda pairs: {token: i for i, token in {i: token for token, i in pairs}.items()}
    )


@arguments("sort_vocab")
def sort_vocab_arguments():
    """(vocab,)"""
    return st.tuples(vocabs("abcĠé"))


is_wrong("sort_vocab", named="by_token")(lambda vocab: [(t, vocab[t]) for t in sorted(vocab)])


is_wrong("sort_vocab", named="highest_first")(
    lambda vocab: sorted(vocab.items(), key=lambda x: -x[1])
)


@is_wrong("sort_vocab", named="what_list_sort_returns")
def forgets_to_return(vocab):
    pairs = list(vocab.items())
    pairs.sort(key=lambda x: x[1])


is_wrong("sort_vocab", named="ids_sorted_as_text")(
    lambda vocab: sorted(vocab.items(), key=lambda x: str(x[1]))
)


is_wrong("sort_vocab", named=ANOTHER_ORDER)(lambda vocab: [(vocab.popitem()) for _ in list(vocab)])


@is_right("count_token_lengths")
def with_defaultdict(vocab):
    counts = defaultdict(int)
    for token in vocab:
        counts[len(token)] += 1
    return counts


@is_right("count_token_lengths")
def runs_of_sorted_lengths(vocab):
    return {n: len(list(run)) for n, run in groupby(sorted(map(len, vocab)))}


@is_right("count_token_lengths")
def with_numpy_unique(vocab):
    lengths, counts = np.unique([len(t) for t in vocab], return_counts=True)
    return {int(n): int(k) for n, k in zip(lengths, counts, strict=True)}


@is_right("count_token_lengths")
def with_bincount(vocab):
    counts = torch.bincount(torch.tensor([len(t) for t in vocab], dtype=torch.long))
    return {n: counts[n].item() for n in counts.nonzero().flatten().tolist()}


@arguments("count_token_lengths")
def count_token_lengths_arguments():
    """(vocab,)"""
    return st.tuples(vocabs("abcĠé"))


is_wrong("count_token_lengths", named="lengths_in_bytes")(
    lambda v: {n: sum(len(t.encode()) == n for t in v) for n in {len(t.encode()) for t in v}}
)


is_wrong("count_token_lengths", named=SOME_TOO_MANY)(
    lambda v: {n: sum(len(t) == n for t in v) for n in range(1, 130)}
)


is_wrong("count_token_lengths", named="space_in_front_not_counted")(
    lambda v: {n: sum(len(t.lstrip("Ġ")) == n for t in v) for n in {len(t.lstrip("Ġ")) for t in v}}
)


@is_right("first_token_of_length")
def with_loop(sorted_vocab, length):
    for token, _ in sorted_vocab:
        if len(token) == length:
            return token
    return ""


@is_right("first_token_of_length")
def from_behind(sorted_vocab, length):
    first = defaultdict(str)
    for token, _ in reversed(sorted_vocab):
        first[len(token)] = token
    return first[length]


@is_right("first_token_of_length")
def lowest_id_of_all(sorted_vocab, length):
    ids = {i: token for token, i in sorted_vocab if len(token) == length}
    return ids[min(ids)] if ids else ""


@is_right("first_token_of_length")
def by_position(sorted_vocab, length):
    lengths = [len(token) for token, _ in sorted_vocab]
    return sorted_vocab[lengths.index(length)][0] if length in lengths else ""


@arguments("first_token_of_length")
def first_token_of_length_arguments():
    """(sorted_vocab, length)"""
    return st.tuples(vocabs("abĠé").map(by_insertion), st.integers(1, 8))


is_wrong("first_token_of_length", named="the_last_one")(
    lambda v, n: ([t for t, _ in v if len(t) == n] or [""])[-1]
)


is_wrong("first_token_of_length", named="none_where_there_is_none")(
    lambda v, n: next((t for t, _ in v if len(t) == n), None)
)


is_wrong("first_token_of_length", named="space_not_counted")(
    lambda v, n: next((t for t, _ in v if len(t) - t.count("Ġ") == n), "")
)


is_wrong("first_token_of_length", named="first_of_the_alphabet")(
    lambda v, n: min((t for t, _ in v if len(t) == n), default="")
)


@is_right("token_to_text")
def with_a_bytearray(token):
    data = bytearray()
    for char in token:
        data.append(next(b for b, c in BYTE_TO_CHAR.items() if c == char))
    return str(data, "utf-8", "replace")


@is_right("token_to_text")
def through_latin_1(token):
    to_byte = str.maketrans({char: chr(b) for b, char in BYTE_TO_CHAR.items()})
    return token.translate(to_byte).encode("latin-1").decode(errors="replace")


class ByteDecoder:
    def __init__(self):
        self.bytes_of = {char: bytes([b]) for b, char in BYTE_TO_CHAR.items()}

    def __call__(self, token):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = "".join(decoder.decode(self.bytes_of[char]) for char in token)
        return text + decoder.decode(b"", final=True)


is_right("token_to_text")(ByteDecoder())


@arguments("token_to_text")
def token_to_text_arguments():
    """(token,)"""

    def displayed(data):
        return "".join(BYTE_TO_CHAR[b] for b in data)

    any_bytes = st.binary(max_size=6).map(displayed)
    any_text = st.text(max_size=4).map(lambda text: displayed(text.encode()))
    return st.tuples(any_bytes | any_text)


is_wrong("token_to_text", named="space_and_line_break")(
    lambda token: token.translate(str.maketrans("ĠĊ", " \n"))
)


is_wrong("token_to_text", named="bytes_taken_for_characters")(
    lambda token: bytes(CHAR_TO_BYTE[c] for c in token).decode("latin-1")
)


is_wrong("token_to_text", named="latin_1_taken_for_the_table")(
    lambda token: token.encode("latin-1").decode(errors="replace")
)


is_wrong("token_to_text", named="space_stripped")(
    lambda token: bytes(CHAR_TO_BYTE[c] for c in token).decode("utf-8", "replace").strip()
)


@is_right("most_common_pair")
def count_with_a_list(words):
    pairs = [(w[i], w[i + 1]) for w in words for i in range(len(w) - 1)]
    best = None
    for pair in pairs:
        if best is None or pairs.count(pair) > pairs.count(best):
            best = pair
    return best


def pairs_of(words):
    return [pair for w in words for pair in pairwise(w)]


@is_right("most_common_pair")
def by_a_stable_sort(words):
    pairs = pairs_of(words)
    return next(iter(sorted(dict.fromkeys(pairs), key=lambda pair: -pairs.count(pair))), None)


@is_right("most_common_pair")
def by_count_then_place(words):
    where = defaultdict(list)
    for place, pair in enumerate(pairs_of(words)):
        where[pair] += [place]
    return min(where, default=None, key=lambda pair: (-len(where[pair]), where[pair][0]))


@is_right("most_common_pair")
def with_numpy_counts(words):
    pairs = pairs_of(words)
    if not pairs:
        return None
    equal = np.array([[one == other for other in pairs] for one in pairs])
    return list(pairs[equal.sum(axis=1).argmax()])


def tokens_of(*pieces):
    return st.lists(st.sampled_from(pieces), max_size=7)


@arguments("most_common_pair")
def most_common_pair_arguments():
    """(words,)"""
    return st.tuples(st.lists(tokens_of(b"a", b"b", b"ab", b" ", b"\xc3"), max_size=6))


is_wrong("most_common_pair", named="ties_to_the_smallest")(
    lambda words: max(sorted(set(pairs_of(words))), key=pairs_of(words).count, default=None)
)


is_wrong("most_common_pair")(
    lambda words: max(reversed(pairs_of(words)), key=pairs_of(words).count, default=None)
)


is_wrong("most_common_pair", named="across_words")(
    lambda words: max(p := pairs_of([list(chain(*words))]), key=p.count, default=None)
)


is_wrong("most_common_pair", named="maximum_of_nothing")(
    lambda words: max(p := pairs_of(words), key=p.count)
)


is_wrong("most_common_pair", named="ties_to_the_greatest")(
    lambda words: max(p := sorted(pairs_of(words), reverse=True), key=p.count, default=None)
)


is_wrong("most_common_pair", named={"joined_bytes_counted", "overlapping_pairs_counted_once"})(
    lambda words: max(
        pairs_of(words),
        key=lambda x: b"".join(chain(*words)).count(x[0] + x[1]),
        default=None,
    )
)


@is_right("merge_pair")
def by_recursion(tokens, pair):
    if len(tokens) < 2:
        return list(tokens)
    if (tokens[0], tokens[1]) == tuple(pair):
        return [tokens[0] + tokens[1], *by_recursion(tokens[2:], pair)]
    return [tokens[0], *by_recursion(tokens[1:], pair)]


@is_right("merge_pair")
def into_the_last_one(tokens, pair):
    out = []
    for token in tokens:
        if out and (out[-1], token) == tuple(pair):
            out[-1] += token
        else:
            out.append(token)
    return out


@is_right("merge_pair")
def by_characters(tokens, pair):
    kinds = list(dict.fromkeys([*tokens, *pair]))
    char_of = {token: chr(i) for i, token in enumerate(kinds)}
    text = "".join(char_of[token] for token in tokens)
    text = text.replace(char_of[pair[0]] + char_of[pair[1]], chr(len(kinds)))
    return [[*kinds, pair[0] + pair[1]][ord(char)] for char in text]


@is_right("merge_pair")
def by_marking_starts(tokens, pair):
    starts = []
    for i, both in enumerate(pairwise(tokens)):
        if both == tuple(pair) and i - 1 not in starts:
            starts.append(i)
    return [
        b"".join(tokens[i : i + 2] if i in starts else tokens[i : i + 1])
        for i in range(len(tokens))
        if i - 1 not in starts
    ]


@arguments("merge_pair")
def merge_pair_arguments():
    """(tokens, pair)"""
    pieces = (b"a", b"b", b"ab", b"ba", b" ", b"\0")
    piece = st.sampled_from(pieces[:3])
    return st.tuples(tokens_of(*pieces) | tokens_of(b"a", b"b"), st.tuples(piece, piece))


@is_wrong("merge_pair", named="second_half_kept")
def merges_overlapping(tokens, pair):
    return [
        a + b if (a, b) == pair else a for a, b in zip(tokens, [*tokens[1:], b""], strict=False)
    ]


@is_wrong("merge_pair", named="first_occurrence_only")
def merges_the_first_only(tokens, pair):
    pairs = list(pairwise(tokens))
    if pair not in pairs:
        return tokens[:]
    i = pairs.index(pair)
    tokens = tokens[:]
    tokens[i : i + 2] = [b"".join(pair)]
    return tokens


@is_wrong("merge_pair", named="joined_bytes_compared")
def compares_bytes(tokens, pair):
    out = []
    for token in tokens:
        if out and out[-1] + token == pair[0] + pair[1]:
            out[-1] += token
        else:
            out.append(token)
    return out


@is_wrong("merge_pair", named="changes_its_argument")
def in_place(tokens, pair):
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) == pair:
            tokens[i : i + 2] = [pair[0] + pair[1]]
        i += 1
    return tokens


def bpe(
    words,
    n,
    best=count_with_a_list,
    merge=by_recursion,
    split=lambda w: [bytes([b]) for b in w.encode()],
):
    tokens, merges = [split(w) for w in words], []
    for _ in range(n):
        pair = best(tokens)
        if pair is None:
            break
        merges.append(pair)
        tokens = [merge(w, pair) for w in tokens]
    return merges


is_right("train_bpe")(
    lambda words, n_merges: bpe(
        words, n_merges, best=lambda ws: max(p := pairs_of(ws), key=p.count, default=None)
    )
)


@is_right("train_bpe")
def with_frequencies(words, n_merges):
    frequency = Counter(words)
    split = {word: tuple(bytes([b]) for b in word.encode()) for word in frequency}
    merges = []
    for _ in range(n_merges):
        counts = Counter()
        for word, tokens in split.items():
            for pair in pairwise(tokens):
                counts[pair] += frequency[word]
        if not counts:
            return merges
        merges += [counts.most_common(1)[0][0]]
        split = {word: by_characters(tokens, merges[-1]) for word, tokens in split.items()}
    return merges


@is_right("train_bpe")
def merge_and_train_on(words, n_merges):
    if words and isinstance(words[0], str):
        words = [[bytes([b]) for b in word.encode()] for word in words]
    pair = by_count_then_place(words) if n_merges > 0 else None
    if pair is None:
        return []
    merged = [into_the_last_one(word, pair) for word in words]
    return [pair, *merge_and_train_on(merged, n_merges - 1)]


@is_right("train_bpe")
def in_one_list_with_borders(words, n_merges):
    tokens, merges = [], []
    for word in words:
        tokens += [None, *map(bytes, zip(word.encode(), strict=True))]
    while len(merges) < n_merges:
        pairs = [pair for pair in pairwise(tokens) if None not in pair]
        if not pairs:
            break
        merges.append(max(pairs, key=pairs.count))
        tokens = into_the_last_one(tokens, merges[-1])
    return merges


@arguments("train_bpe")
def train_bpe_arguments():
    """(words, n_merges)"""
    words = st.lists(st.text("ab é🙂", max_size=6), max_size=6)
    return st.tuples(words, st.integers(0, 8))


is_wrong("train_bpe", named="starts_from_characters")(
    lambda words, n: bpe(words, n, split=lambda w: [c.encode() for c in w])
)


is_wrong("train_bpe", named="first_occurrence_merged_only")(
    lambda words, n: bpe(words, n, merge=merges_the_first_only)
)


is_wrong("train_bpe", named="all_words_in_one")(lambda words, n: bpe(["".join(words)], n))


is_wrong("train_bpe", named="repeated_words_counted_once")(
    lambda words, n: bpe(list(dict.fromkeys(words)), n)
)


is_wrong("train_bpe")(lambda words, n: bpe(sorted(set(words)), n))


is_wrong("train_bpe", named="new_tokens_returned")(
    lambda words, n: [a + b for a, b in bpe(words, n)]
)


is_wrong("train_bpe", named="one_merge_too_many")(lambda words, n: bpe(words, n + 1))


def texts_of(alphabet="aeT .,'\n\té€漢🙂👍🏽0 9", max_size=20):
    pieces = st.sampled_from([*alphabet, " the", "ing", "<|endoftext|>", "  "])
    return st.lists(pieces, max_size=max_size).map("".join)


def spoken(token):
    return bytearray(CHAR_TO_BYTE[c] for c in token).decode(errors="replace")


@arguments("spelling_variants")
def spelling_variants_arguments(tokenizer, bos_tokenizer):
    """(tokenizer, word)"""
    words = st.text("abcdefghijklmnopqrstuvwxyzéü", min_size=1, max_size=8)
    return st.tuples(st.sampled_from([tokenizer, bos_tokenizer]), words)


@is_right("spelling_variants")
def by_bytes(tokenizer, word):
    return {
        space + w: [spoken(t) for t in tokenizer.tokenize(space + w)]
        for space in (" ", "")
        for w in (word[0].upper() + word[1:], word)
    }


@is_right("spelling_variants")
def without_special_ids(tokenizer, word):
    found = defaultdict(list)
    for space, w in product(["", " "], [word.capitalize(), word]):
        for i in tokenizer(space + w)["input_ids"]:
            if i not in tokenizer.all_special_ids:
                found[space + w].append(tokenizer.decode(i))
    return found


@is_right("spelling_variants")
def in_one_batch(tokenizer, word):
    forms = [word, word.capitalize()]
    forms += [f" {form}" for form in forms]
    batch = tokenizer(forms, add_special_tokens=False)["input_ids"]
    return {f: [*map(tokenizer.decode, row)] for f, row in zip(forms, batch, strict=True)}


is_wrong("spelling_variants", named="automatic_bos")(
    lambda t, w: {
        f: [spoken(x) for x in t.convert_ids_to_tokens(t(f).input_ids)]
        for f in (w, w.capitalize(), " " + w, " " + w.capitalize())
    }
)


is_wrong("spelling_variants", named={"decoded_as_a_whole", "spaces_stripped"})(
    lambda t, w: {
        f: t.decode(t.encode(f, add_special_tokens=False)).split()
        for f in (w, w.capitalize(), " " + w, " " + w.capitalize())
    }
)


is_wrong("spelling_variants", named="in_capitals")(
    lambda t, w: {
        f: [spoken(x) for x in t.tokenize(f)] for f in (w, w.upper(), " " + w, " " + w.upper())
    }
)


is_wrong("spelling_variants", named="space_capitalised")(
    lambda t, w: {f: [spoken(x) for x in t.tokenize(f)] for f in (w, w.capitalize(), " " + w)}
)


@arguments("token_spans")
def token_spans_arguments(tokenizer, bos_tokenizer):
    """(tokenizer, text)"""
    return st.tuples(st.sampled_from([tokenizer, bos_tokenizer]), texts_of())


@is_right("token_spans")
def spans_by_ids(tokenizer, text):
    pieces = [
        bytes(CHAR_TO_BYTE[c] for c in tokenizer.convert_ids_to_tokens(i))
        for i in tokenizer.encode(text, add_special_tokens=False)
    ]
    ends = np.cumsum([len(p) for p in pieces])
    return [(p, end - len(p), end) for p, end in zip(pieces, ends, strict=True)]


@is_right("token_spans")
def spans_by_cutting_the_text(tokenizer, text):
    # One displayed character is one byte, so lengths are all that one needs of the tokens.
    borders = [0, *accumulate(len(token) for token in tokenizer.tokenize(text))]
    return [(text.encode()[a:b], a, b) for a, b in pairwise(borders)]


@is_right("token_spans")
def spans_from_behind(tokenizer, text):
    rest, spans = text.encode(), []
    for token in reversed(tokenizer(text, add_special_tokens=False).tokens()):
        start = len(rest) - len(token)
        spans.insert(0, (rest[start:], start, len(rest)))
        rest = rest[:start]
    return spans


is_wrong("token_spans", named="end_included")(
    lambda t, text: [(piece, a, b - 1) for piece, a, b in spans_by_ids(t, text)]
)


@is_wrong("token_spans", named="decoded_one_by_one")
def spans_of_decoded_pieces(tokenizer, text):
    pieces = [spoken(token).encode() for token in tokenizer.tokenize(text)]
    ends = [*accumulate(map(len, pieces))]
    return [(p, end - len(p), end) for p, end in zip(pieces, ends, strict=True)]


is_wrong("token_spans", named="end_of_text_left_out")(
    lambda t, x: [s for s in spans_by_ids(t, x) if s[0] != b"<|endoftext|>"]
)


is_wrong("token_spans", named="text_for_bytes")(
    lambda t, x: [(p.decode(), a, b) for p, a, b in spans_by_ids(t, x)]
)


is_wrong("token_spans", named="text_stripped")(
    lambda t, x: [(p, a, b) for p, a, b in spans_by_ids(t, x.strip())]
)


def batch_of_ids(shape, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(6, shape, generator=generator).to(dtype)


seeds = st.integers(0, 2**32 - 1)
id_dtypes = st.sampled_from([torch.int64, torch.int32])


def id_shapes(min_seq=0):
    batch = st.lists(st.integers(1, 4), max_size=3)
    return st.builds(lambda batch, seq: (*batch, seq), batch, st.integers(min_seq, 6))


@arguments("prepend_bos")
def prepend_bos_arguments():
    """(tokens, bos_token_id)"""
    tokens = st.builds(batch_of_ids, id_shapes(), seeds, id_dtypes)
    return st.tuples(tokens, st.sampled_from([0, 5, BOS]))


@is_right("prepend_bos")
def pad_in_front(tokens, bos_token_id=BOS):
    return F.pad(tokens, (1, 0), value=bos_token_id)


@is_right("prepend_bos")
def through_numpy(tokens, bos_token_id=BOS):
    array = tokens.cpu().numpy()
    bos = np.full((*array.shape[:-1], 1), bos_token_id, dtype=array.dtype)
    return torch.from_numpy(np.concatenate([bos, array], axis=-1)).to(tokens.device)


@is_right("prepend_bos")
def filled_in(tokens, bos_token_id=BOS):
    *batch, seq = tokens.shape
    out = torch.empty(*batch, seq + 1, dtype=tokens.dtype, device=tokens.device)
    out[..., 0], out[..., 1:] = bos_token_id, tokens
    return out


@is_right("prepend_bos")
def row_by_row(tokens, bos_token_id=BOS):
    if tokens.ndim > 1:
        return torch.stack([row_by_row(row, bos_token_id) for row in tokens])
    return torch.tensor([bos_token_id, *tokens.tolist()]).to(tokens)


is_wrong("prepend_bos", named="behind_the_sequence")(
    lambda t, bos_token_id=BOS: F.pad(t, (0, 1), value=bos_token_id)
)


is_wrong("prepend_bos", named="always_50256")(
    lambda t, bos_token_id=BOS: F.pad(t, (1, 0), value=BOS)
)


is_wrong("prepend_bos", named="int64_whatever_comes_in")(
    lambda t, bos_token_id=BOS: F.pad(t.long(), (1, 0), value=bos_token_id)
)


is_wrong("prepend_bos", named="only_where_missing")(
    lambda t, bos_token_id=BOS: (
        t if (t[..., :1] == bos_token_id).any() else F.pad(t, (1, 0), value=bos_token_id)
    )
)


is_wrong("prepend_bos", named="only_where_missing")(
    lambda t, bos_token_id=BOS: (
        t if t.numel() and (t[..., 0] == bos_token_id).all() else pad_in_front(t, bos_token_id)
    )
)


is_wrong("prepend_bos", named="bos_0_taken_for_none")(
    lambda t, bos_token_id=BOS: pad_in_front(t, bos_token_id or BOS)
)


is_wrong("prepend_bos")(lambda t, bos_token_id=BOS: t.insert(0, bos_token_id))


@arguments("strip_bos")
def strip_bos_arguments():
    """(tokens, bos_token_id), where every sequence begins with BOS or none does"""

    def make(shape, seed, dtype, bos_token_id, begins):
        tokens = batch_of_ids(shape, seed, dtype)
        tokens[..., :1] = bos_token_id if begins else bos_token_id + 1
        return tokens, bos_token_id

    return st.builds(
        make, id_shapes(), seeds, id_dtypes, st.sampled_from([0, 3, BOS]), st.booleans()
    )


@is_right("strip_bos")
def strip_by_rows(tokens, bos_token_id=BOS):
    if tokens.ndim == 1:
        return tokens[int(len(tokens) > 0 and tokens[0].item() == bos_token_id) :].clone()
    rows = [strip_by_rows(row, bos_token_id) for row in tokens]
    if len({row.shape for row in rows}) > 1:
        raise ValueError("mixed")
    return torch.stack(rows)


@is_right("strip_bos")
def strip_by_a_set(tokens, bos_token_id=BOS):
    match {token == bos_token_id for token in tokens[..., :1].flatten().tolist()}:
        case found if len(found) == 2:
            raise ValueError
        case found:
            return tokens[..., int(True in found) :]


@is_right("strip_bos")
def strip_by_counting(tokens, bos_token_id=BOS):
    if tokens.numel() == 0:
        return tokens
    firsts = tokens.select(-1, 0)
    n = torch.count_nonzero(firsts == bos_token_id)
    if 0 < n < firsts.numel():
        raise ValueError(f"{n} of {firsts.numel()} begin with BOS")
    return tokens.narrow(-1, 1, tokens.size(-1) - 1) if n else tokens


is_wrong("strip_bos", named="every_bos")(
    lambda t, bos_token_id=BOS: t.masked_select(t.ne(bos_token_id))
)


is_wrong("strip_bos", named="mixture_unnoticed")(
    lambda t, bos_token_id=BOS: t[..., 1:] if t.flatten()[:1].eq(bos_token_id).any() else t
)


is_wrong("strip_bos", named="bos_0_taken_for_none")(
    lambda t, bos_token_id=BOS: strip_by_rows(t, bos_token_id or BOS)
)


is_wrong("strip_bos", named="bos_alone_left")(
    lambda t, bos_token_id=BOS: t if t.shape[-1] < 2 else strip_by_rows(t, bos_token_id)
)


is_wrong("strip_bos", named="all_leading_ones")(
    lambda t, bos_token_id=BOS: strip_by_rows(strip_by_rows(t, bos_token_id), bos_token_id)
)


is_wrong("strip_bos", named="int64_whatever_comes_in")(
    lambda t, bos_token_id=BOS: strip_by_rows(t, bos_token_id).long()
)


@arguments("encode")
def encode_arguments(tokenizer, bos_tokenizer):
    """(tokenizer, texts, prepend_bos)"""
    texts = texts_of() | st.lists(texts_of(max_size=8), min_size=1, max_size=4)
    return st.tuples(st.sampled_from([tokenizer, bos_tokenizer]), texts, st.booleans())


@is_right("encode")
def by_pad_sequence(tokenizer, texts, prepend_bos=True):
    if isinstance(texts, str):
        texts = [texts]
    front = "<|endoftext|>" if prepend_bos else ""
    rows = [torch.tensor(tokenizer.encode(front + t, add_special_tokens=False)) for t in texts]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=BOS)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(r) for r in rows], batch_first=True)
    return [ids.int(), mask.int()]


@is_right("encode")
def by_the_tokenizer(tokenizer, texts, prepend_bos=True):
    texts = [texts] if isinstance(texts, str) else list(texts)
    front = tokenizer.bos_token if prepend_bos else ""
    out = tokenizer(
        [front + t for t in texts], add_special_tokens=False, padding=True, return_tensors="pt"
    )
    return out["input_ids"], out["attention_mask"]


@is_right("encode")
def by_lengths(tokenizer, texts, prepend_bos=True):
    if type(texts) is str:
        return by_lengths(tokenizer, [texts], prepend_bos)
    rows = tokenizer(texts, add_special_tokens=False)["input_ids"]
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids = np.full(mask.shape, tokenizer.eos_token_id)
    ids[mask] = [i for row in rows for i in row]
    ids, mask = torch.from_numpy(ids), torch.from_numpy(mask.astype(int))
    if prepend_bos:
        ids, mask = pad_in_front(ids, tokenizer.bos_token_id), pad_in_front(mask, 1)
    return ids, mask


@is_right("encode")
def by_columns(tokenizer, texts, prepend_bos=True):
    texts = texts if isinstance(texts, list) else [texts]
    rows = []
    for text in texts:
        pieces = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))
        rows.append([tokenizer.bos_token_id] * int(prepend_bos) + pieces)
    columns = [*zip_longest(*rows)]
    ids = [[BOS if c[i] is None else c[i] for c in columns] for i in range(len(texts))]
    mask = [[int(c[i] is not None) for c in columns] for i in range(len(texts))]
    return torch.tensor(ids, dtype=torch.long), torch.tensor(mask, dtype=torch.long)


def encoded(tokenizer, texts, prepend_bos, mask=None, side="right", special=False, cut=None):
    texts = [texts] if isinstance(texts, str) else texts
    rows = [[BOS] * prepend_bos + tokenizer.encode(t, add_special_tokens=special) for t in texts]
    rows = [row[:cut] for row in rows]
    n = max(map(len, rows))
    fill = [[BOS] * (n - len(r)) for r in rows]
    ids = [r + f if side == "right" else f + r for r, f in zip(rows, fill, strict=True)]
    ids = torch.tensor(ids, dtype=torch.long)
    if mask is None:
        mask = torch.tensor([[1] * len(r) + [0] * (n - len(r)) for r in rows], dtype=torch.long)
    return ids, mask(ids) if callable(mask) else mask


is_wrong("encode", named="mask_read_off_the_ids")(
    lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, mask=lambda i: (i != BOS).long())
)


is_wrong("encode", named="mask_of_ones")(
    lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, mask=torch.ones_like)
)


is_wrong("encode", named="automatic_bos_on_top")(
    lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, special=True)
)


is_wrong("encode", named="bos_always")(lambda t, x, prepend_bos=True: encoded(t, x, True))


is_wrong("encode", named="truncated")(
    lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, cut=1024)
)


is_wrong("encode")(lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, cut=64))


is_wrong("encode")(lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, side="left"))


is_wrong("encode", named="ids_alone")(lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos)[0])


is_wrong("encode")(
    lambda t, x, prepend_bos=True: encoded(
        t, x, prepend_bos, mask=lambda i: pad_in_front((i != BOS).long(), 1)[:, :-1]
    )
)


is_wrong("encode")(
    lambda t, x, prepend_bos=True: encoded(t, sorted([x] if type(x) is str else x), prepend_bos)
)


@is_wrong("encode", named=ARGUMENT_CHANGED)
def sorts_the_callers_list(tokenizer, texts, prepend_bos=True):
    right_one = encoded(tokenizer, texts, prepend_bos)
    if isinstance(texts, list):
        texts.sort(key=len)
    return right_one


@arguments("inputs_and_targets")
def inputs_and_targets_arguments():
    """(tokens, bos_token_id)"""
    without = st.tuples(st.builds(batch_of_ids, id_shapes(min_seq=1), seeds, id_dtypes), st.none())
    with_one = st.builds(batch_of_ids, id_shapes(), seeds, id_dtypes)
    return without | st.tuples(with_one, st.sampled_from([0, 5, BOS]))


@is_right("inputs_and_targets")
def by_prepending_first(tokens, bos_token_id=None):
    if bos_token_id is not None:
        tokens = pad_in_front(tokens, bos_token_id)
    return [tokens[..., :-1].clone(), tokens[..., 1:].clone()]


@is_right("inputs_and_targets")
def by_rolling_the_inputs(tokens, bos_token_id=None):
    inputs = tokens.roll(1, dims=-1)
    if bos_token_id is None:
        return inputs[..., 1:], tokens[..., 1:]
    inputs[..., :1] = bos_token_id
    return inputs, tokens


@is_right("inputs_and_targets")
def by_windows_of_two(tokens, bos_token_id=None):
    if bos_token_id is not None:
        tokens = filled_in(tokens, bos_token_id)
    if tokens.shape[-1] == 1:
        return tokens[..., :0], tokens[..., :0]
    return tokens.unfold(-1, 2, 1).unbind(-1)


@is_right("inputs_and_targets")
def by_gathered_indices(tokens, bos_token_id=None):
    at = torch.arange(tokens.shape[-1], device=tokens.device)
    if bos_token_id is None:
        return tokens.index_select(-1, at[1:] - 1), tokens.index_select(-1, at[1:])
    return torch.where(at > 0, tokens[..., at - 1], bos_token_id).to(tokens.dtype), tokens


is_wrong("inputs_and_targets", named="bos_0_taken_for_none")(
    lambda t, bos_token_id=None: by_prepending_first(t, bos_token_id or None)
)


is_wrong("inputs_and_targets", named="last_token_still_an_input")(
    lambda t, bos_token_id=None: (
        (t[..., :-1], t[..., 1:]) if bos_token_id is None else (pad_in_front(t, bos_token_id), t)
    )
)


# The first is half true: the targets are those of a BOS that was not asked for, the inputs are not.
is_wrong("inputs_and_targets", named={"bos_always", "last_token_still_read"})(
    lambda t, bos_token_id=None: (
        (t, t) if bos_token_id is None else (pad_in_front(t, bos_token_id), t)
    )
)


is_wrong("inputs_and_targets")(
    lambda t, bos_token_id=None: by_prepending_first(
        t, None if t.numel() and (t[..., 0] == bos_token_id).all() else bos_token_id
    )
)


is_wrong("inputs_and_targets", named="stacked")(
    lambda t, bos_token_id=None: torch.stack(by_prepending_first(t, bos_token_id))
)


is_wrong("inputs_and_targets")(
    lambda t, bos_token_id=None: [x[..., :1] for x in by_prepending_first(t, bos_token_id)]
)


is_wrong("first_token_of_length", named="last_pair_left_out")(
    lambda v, n: next((t for t, _ in v[:-1] if len(t) == n), "")
)


is_wrong("first_token_of_length", named="lengths_of_the_text")(
    lambda v, n: next((t for t, _ in v if len(spoken_or(t)) == n), "")
)


is_wrong("most_common_pair", named="overlapping_pairs_counted_once")(
    lambda words: max(p := [q for w in words for q in apart(w)], key=p.count, default=None)
)


is_wrong("most_common_pair")(
    lambda words: max(
        p := [w[i : i + 2] for i in range(9) for w in map(tuple, words) if len(w) > i + 1],
        key=p.count,
        default=None,
    )
)


is_wrong("merge_pair")(
    lambda t, pair: (
        b"\0".join(t).replace(b"\0".join(pair), b"".join(pair)).split(b"\0") if t else []
    )
)


_sorted = {}


@is_wrong("sort_vocab")
def sorted_once(vocab):
    if len(vocab) not in _sorted:
        _sorted[len(vocab)] = sorted(vocab.items(), key=lambda item: item[1])
    return _sorted[len(vocab)]


is_wrong("count_token_lengths", named="key_not_there_yet")(
    lambda vocab: {len(token): vocab[len(token)] for token in vocab}
)


@is_wrong("first_token_of_length", named="first_of_an_empty_list")
def walks_past_the_end(sorted_vocab, length):
    i = 0
    while len(sorted_vocab[i][0]) != length:
        i += 1
    return sorted_vocab[i][0]


is_wrong("token_to_text")(
    lambda token: bytes(CHAR_TO_BYTE[c] for c in token).decode("utf-8-sig", errors="replace")
)


@is_wrong("most_common_pair", named="joined_bytes_counted")
def counted_by_the_joined_bytes(words):
    counts, pairs = {}, {}
    for word in words:
        for pair in pairwise(word):
            joined = b"".join(pair)
            counts[joined] = counts.get(joined, 0) + 1
            pairs.setdefault(joined, pair)
    return pairs[max(counts, key=counts.get)] if counts else None


@is_wrong("strip_bos")
def looks_at_the_first_and_last_row(tokens, bos_token_id=BOS):
    rows = tokens.reshape(-1, tokens.shape[-1])
    if tokens.numel() == 0 or (rows[0, 0] != bos_token_id and rows[-1, 0] != bos_token_id):
        return tokens
    if rows[0, 0] != bos_token_id or rows[-1, 0] != bos_token_id:
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens[..., 1:]


@is_wrong("encode", named="mask_of_truth_values")
def mask_of_booleans(tokenizer, texts, prepend_bos=True):
    ids, mask = by_lengths(tokenizer, texts, prepend_bos)
    return ids, mask.bool()


# What would be "BOS left to the tokenizer" if nobody tried it on one that adds a BOS.
is_wrong("encode")(lambda t, x, prepend_bos=False: by_lengths(t, x, prepend_bos))


# Those that passed before: what code in production clamps, drops, tidies up or treats by itself.


def is_special(token):
    return token.startswith("<|") and token.endswith("|>")


is_wrong("sort_vocab", named=SOME_MISSING)(
    lambda vocab: sorted(
        ((t, i) for t, i in vocab.items() if not is_special(t)), key=lambda item: item[1]
    )
)


is_wrong("sort_vocab", named=SOME_MISSING)(
    lambda vocab: sorted(((t, i) for t, i in vocab.items() if t.strip()), key=lambda item: item[1])
)


is_wrong("count_token_lengths", named="special_tokens_left_out")(
    lambda vocab: Counter(len(t) for t in vocab if not is_special(t))
)


is_wrong("count_token_lengths")(lambda vocab: Counter(min(len(t), 32) for t in vocab))


is_wrong("count_token_lengths", named="special_tokens_left_out")(
    lambda vocab: Counter(len(t) for t, i in vocab.items() if i < BOS)
)


is_wrong("first_token_of_length")(
    lambda v, n: next((t for t, _ in v if len(t) == n and not is_special(t)), "")
)


is_wrong("first_token_of_length")(
    lambda v, n: next((t for t, _ in v if len(t) == n and t.strip("Ġ")), "")
)


is_wrong("first_token_of_length")(lambda v, n: next((t for t, i in v if len(t) == n and i), ""))


is_wrong("token_to_text", named="end_of_word_mark")(lambda t: spoken_or(t).replace("</w>", " "))


is_wrong("token_to_text")(lambda t: spoken_or(t).removeprefix("##"))


is_wrong("token_to_text")(lambda t: spoken_or(t).replace("▁", " "))


is_wrong("token_to_text")(lambda t: spoken_or(t).replace("\u200b", ""))


is_wrong("token_to_text")(lambda t: spoken_or(t).replace("<|pad|>", ""))


is_wrong("token_to_text")(lambda t: html.unescape(spoken_or(t)))


is_wrong("token_to_text", named="normalised")(lambda t: unicodedata.normalize("NFC", spoken_or(t)))


@is_wrong("token_to_text")
def bytes_by_their_number(token):
    if token.startswith("<0x") and token.endswith(">"):
        return chr(int(token[3:-1], 16))
    return spoken_or(token)


def most_common(words, counts):
    found = Counter(pair for word in words for pair in pairwise(word) if counts(*pair))
    return max(found, key=found.get, default=None)


for skipped in (
    lambda a, b: b != b"</w>",
    lambda a, b: a != b"<|endoftext|>",
    lambda a, b: (a + b).strip() != b"",
    lambda a, b: not b.startswith(b" "),
    lambda a, b: b"\0" not in a + b,
    lambda a, b: not (a + b).isdigit(),
    lambda a, b: len(a + b) <= 16,
    lambda a, b: (a + b).decode(errors="ignore") != "",
):
    is_wrong("most_common_pair")(lambda words, skipped=skipped: most_common(words, skipped))


is_wrong("most_common_pair")(lambda words: count_with_a_list(words[:100]))


is_wrong("most_common_pair")(lambda words: count_with_a_list([word[:16] for word in words]))


@is_wrong("most_common_pair")
def as_strings(words):
    words = [[token.decode() for token in word] for word in words]
    pair = count_with_a_list(words)
    return pair and (pair[0].encode(), pair[1].encode())


@is_wrong("merge_pair")
def with_a_byte_between(tokens, pair, between=b"\x1f"):
    if not tokens:
        return []
    text = between + between.join(tokens) + between
    both = re.escape(between.join(pair))
    merged = re.sub(b"(?<=%b)%b(?=%b)" % (between, both, between), lambda _: b"".join(pair), text)
    return merged[1:-1].split(between)


is_wrong("merge_pair")(
    lambda t, pair: [
        token.encode()
        for token in by_recursion([x.decode() for x in t], tuple(x.decode() for x in pair))
    ]
)


for skipped in (b"</w>", b"<|endoftext|>", b"\n"):
    is_wrong("merge_pair")(
        lambda t, pair, skipped=skipped: t[:] if skipped in pair else by_recursion(t, pair)
    )


is_wrong("merge_pair")(
    lambda t, pair: t[:] if len(pair[0] + pair[1]) > 16 else by_recursion(t, pair)
)


for prepared in (
    lambda words: [word.rstrip() for word in words],
    lambda words: [unicodedata.normalize("NFC", word) for word in words],
    lambda words: [unicodedata.normalize("NFKC", word) for word in words],
    lambda words: [
        part for word in words for part in re.findall(r" ?[^\W\d_]+| ?\d+| ?[^\s\w]+|\s+", word)
    ],
    lambda words: [word for word in words if word != "<|endoftext|>"],
):
    is_wrong("train_bpe")(lambda words, n, prepared=prepared: bpe(prepared(words), n))


for counts in (
    lambda a, b: len(a + b) <= 16,
    lambda a, b: not (a + b).isdigit(),
    lambda a, b: b"\n" not in a + b,
):
    is_wrong("train_bpe")(
        lambda words, n, counts=counts: bpe(words, n, best=lambda split: most_common(split, counts))
    )


is_wrong("train_bpe", named=SOME_MISSING)(lambda words, n: bpe(words, min(n, 16)))


@is_wrong("train_bpe", named=SOME_TOO_MANY)
def until_each_word_is_one_token(words, n_merges):
    split, merges = [[bytes([b]) for b in word.encode()] for word in words], []
    while len(merges) < n_merges and any(len(word) != 1 for word in split):
        merges.append(count_with_a_list(split))
        split = [by_recursion(word, merges[-1]) for word in split]
    return merges


is_wrong("spelling_variants", named="repeated_tokens_left_out")(
    lambda t, w: {f: list(dict.fromkeys(tokens)) for f, tokens in by_bytes(t, w).items()}
)


is_wrong("spelling_variants")(lambda t, w: {f: x[:6] for f, x in by_bytes(t, w).items()})


for prepared in (
    lambda text: unicodedata.normalize("NFKC", text),
    lambda text: text.replace("\r\n", "\n"),
    lambda text: text.replace("\0", ""),
    lambda text: text.removeprefix("\ufeff"),
):
    is_wrong("token_spans")(lambda t, x, prepared=prepared: spans_by_ids(t, prepared(x)))
    is_wrong("encode")(
        lambda t, x, prepend_bos=True, prepared=prepared: encoded(
            t, prepared(x) if isinstance(x, str) else [*map(prepared, x)], prepend_bos
        )
    )


is_wrong("token_spans", named="normalised")(
    lambda t, x: spans_by_ids(t, unicodedata.normalize("NFC", x))
)


is_wrong("token_spans", named=SOME_MISSING)(
    lambda t, x: spans_by_ids(t, x)[x.startswith("<|endoftext|>") :]  # as if it were a BOS
)


is_wrong("prepend_bos")(lambda t, bos_token_id=BOS: pad_in_front(t, min(bos_token_id, BOS)))


is_wrong("prepend_bos")(lambda t, bos_token_id=BOS: pad_in_front(t, bos_token_id)[..., :1024])


@is_wrong("strip_bos", named=SOME_MISSING)
def by_the_mean_of_the_first(tokens, bos_token_id=BOS):
    first = tokens[..., :1]
    if first.numel() and first.double().mean() == bos_token_id:
        return tokens[..., 1:]
    if (first == bos_token_id).any():
        raise ValueError("some sequences begin with BOS and some do not")
    return tokens


is_wrong("encode")(lambda t, x, prepend_bos=True: encoded(t, x, prepend_bos, cut=2048))


is_wrong("encode")(
    lambda t, x, prepend_bos=True: encoded(
        t, x if isinstance(x, str) else list(dict.fromkeys(x)), prepend_bos
    )
)


is_wrong("encode")(
    lambda t, x, prepend_bos=True: encoded(
        t, x if isinstance(x, str) else [text for text in x if not text.isspace()], prepend_bos
    )
)


is_wrong("inputs_and_targets")(
    lambda t, bos_token_id=None: [x[..., :1024] for x in by_prepending_first(t, bos_token_id)]
)
