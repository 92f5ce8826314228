"""Answers to lesson 1 that make two mistakes at once."""

from collections import Counter, defaultdict
from itertools import pairwise

import torch

from answers.pairs import pair
from solutions.lesson1_tokens import merge_pair, most_common_pair

BOS = 50256


# --- first_token_of_length -----------------------------------------------------------------------


@pair("first_token_of_length", "the_last_one", "none_where_there_is_none")
def dict_overwritten_and_get_without_default(sorted_vocab, length):
    by_length = {}
    for tok, _ in sorted_vocab:
        by_length[len(tok)] = tok
    return by_length.get(length)


@pair("first_token_of_length", "the_last_one", "first_of_an_empty_list")
def last_of_those_that_fit(sorted_vocab, length):
    return [tok for tok, _ in sorted_vocab if len(tok) == length][-1]


@pair("first_token_of_length", "space_not_counted", "none_where_there_is_none")
def next_without_space_or_none(sorted_vocab, length):
    return next((tok for tok, _ in sorted_vocab if len(tok.replace("Ġ", "")) == length), None)


@pair("first_token_of_length", "space_not_counted", "first_of_an_empty_list")
def index_0_of_lengths_without_space(sorted_vocab, length):
    matches = list(filter(lambda p: len(p[0].replace("Ġ", "")) == length, sorted_vocab))
    return matches[0][0]


@pair("first_token_of_length", "token_and_id", "none_where_there_is_none")
def whole_pair_or_nothing(sorted_vocab, length):
    for entry in sorted_vocab:
        if len(entry[0]) == length:
            return entry
    return None


@pair("first_token_of_length", "token_and_id", "first_of_an_empty_list")
def first_pair_that_fits(sorted_vocab, length):
    candidates = [(t, i) for t, i in sorted_vocab if len(t) == length]
    return candidates[0]


# --- token_to_text -------------------------------------------------------------------------------


@pair("token_to_text", "minus_256", "bytes_taken_for_characters")
def shifted_character_by_character(token):
    return "".join(chr(ord(c) - 256) if ord(c) >= 256 else c for c in token)


@pair("token_to_text", "minus_256", "bytes_decoded_one_by_one")
def shifted_and_decoded_each(token):
    text = ""
    for c in token:
        text += bytes([ord(c) & 255]).decode("utf-8", "replace")
    return text


# --- most_common_pair ----------------------------------------------------------------------------


@pair("most_common_pair", "across_words", "maximum_of_nothing")
def max_over_one_list(words):
    flat = []
    for w in words:
        flat += w
    counts = defaultdict(int)
    for i in range(len(flat) - 1):
        counts[flat[i], flat[i + 1]] += 1
    return max(counts.items(), key=lambda item: item[1])[0]


@pair("most_common_pair", "ties_to_the_last", "maximum_of_nothing")
def last_after_sorting(words):
    counts = {}
    for w in words:
        for a, b in pairwise(w):
            counts[a, b] = counts.get((a, b), 0) + 1
    return max(reversed(counts), key=counts.get)


@pair("most_common_pair", "repeated_words_counted_once", "across_words")
def one_list_of_unique_words(words):
    unique = []
    for w in words:
        if w not in unique:
            unique.append(w)
    flat = [t for w in unique for t in w]
    counts = Counter(pairwise(flat))
    return counts.most_common(1)[0][0] if counts else None


@pair("most_common_pair", "ties_to_the_greatest", "first_of_no_pairs")
def greatest_tuple_at_index_minus_1(words):
    counts = Counter()
    for w in words:
        counts.update(pairwise(w))
    return sorted((n, p) for p, n in counts.items())[-1][1]


@pair("most_common_pair", "overlapping_pairs_counted_once", "first_of_no_pairs")
def skips_the_overlap_and_takes_the_first(words):
    counts = Counter()
    for w in words:
        i = 0
        while i < len(w) - 1:
            counts[w[i], w[i + 1]] += 1
            i += 2 if w[i : i + 2] == w[i + 1 : i + 3] else 1
    return counts.most_common()[0][0]


@pair("most_common_pair", "repeated_words_counted_once", "maximum_of_nothing")
def a_dict_of_words_and_max(words):
    vocab = {tuple(w): 1 for w in words}
    counts = defaultdict(int)
    for w, freq in vocab.items():
        for i in range(len(w) - 1):
            counts[w[i], w[i + 1]] += freq
    return max(counts, key=counts.get)


@pair("most_common_pair", "repeated_words_counted_once", "overlapping_pairs_counted_once")
def unique_words_without_overlaps(words):
    counts = {}
    for w in {tuple(w): None for w in words}:
        i = 0
        while i + 1 < len(w):
            p = w[i : i + 2]
            counts[p] = counts.get(p, 0) + 1
            i += 2 if w[i + 1 : i + 3] == p else 1
    return max(counts, key=counts.get) if counts else None


# --- merge_pair ----------------------------------------------------------------------------------


@pair("merge_pair", "joined_bytes_compared", "last_token_lost")
def joined_and_short_of_the_end(tokens, pair):
    new = pair[0] + pair[1]
    out, i = [], 0
    while i + 1 < len(tokens):
        both = tokens[i] + tokens[i + 1]
        out.append(new if both == new else tokens[i])
        i += 2 if both == new else 1
    return out


@pair("merge_pair", "joined_bytes_compared", "first_occurrence_only")
def first_joined_match(tokens, pair):
    new = b"".join(pair)
    for i in range(len(tokens) - 1):
        if tokens[i] + tokens[i + 1] == new:
            return [*tokens[:i], new, *tokens[i + 2 :]]
    return tokens[:]


@pair("merge_pair", "changes_its_argument", "joined_bytes_compared")
def joined_in_place(tokens, pair):
    i = 0
    while i < len(tokens) - 1:
        if b"".join(tokens[i : i + 2]) == b"".join(pair):
            tokens[i : i + 2] = [b"".join(pair)]
        i += 1
    return tokens


@pair("merge_pair", "changes_its_argument", "first_occurrence_only")
def popped_once(tokens, pair):
    for i in range(len(tokens) - 1):
        if (tokens[i], tokens[i + 1]) == pair:
            tokens[i] += tokens[i + 1]
            del tokens[i + 1]
            break
    return tokens


@pair("merge_pair", "first_occurrence_only", "replaced_in_the_joined_text")
def one_replacement_in_text(tokens, pair):
    a, b = pair
    return b" ".join(tokens).replace(a + b" " + b, a + b, 1).split()


@pair("merge_pair", "first_occurrence_only", "argument_returned_where_nothing_merges")
def spliced_once_or_the_word_itself(tokens, pair):
    for i, two in enumerate(pairwise(tokens)):
        if two == pair:
            new = list(tokens)
            new[i : i + 2] = [two[0] + two[1]]
            return new
    return tokens


# --- train_bpe -----------------------------------------------------------------------------------


@pair("train_bpe", "starts_from_characters", "ties_to_the_greatest")
def characters_by_greatest_pair(words, n_merges):
    corpus = [[c.encode() for c in w] for w in words]
    merges = []
    while len(merges) < n_merges:
        counts = Counter()
        for w in corpus:
            counts.update(pairwise(w))
        if not counts:
            return merges
        _, best = max((n, p) for p, n in counts.items())
        merges.append(best)
        corpus = [merge_pair(w, best) for w in corpus]
    return merges


@pair("train_bpe", "ties_to_the_greatest", "none_recorded_as_a_merge")
def greatest_or_none_in_every_round(words, n_merges):
    corpus = [[bytes([b]) for b in w.encode()] for w in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(p for w in corpus for p in pairwise(w))
        best = max(counts, key=lambda p: (counts[p], p)) if counts else None
        merges.append(best)
        corpus = [merge_pair(w, best) for w in corpus]
    return merges


@pair("train_bpe", "repeated_words_counted_once", "starts_from_characters")
def a_dict_of_characters(words, n_merges):
    splits = {w: [c.encode() for c in w] for w in words}
    merges = []
    for _ in range(n_merges):
        best = most_common_pair([*splits.values()])
        if best is None:
            break
        merges.append(best)
        for w in splits:
            splits[w] = merge_pair(splits[w], best)
    return merges


@pair("train_bpe", "repeated_words_counted_once", "none_recorded_as_a_merge")
def a_dict_of_bytes_in_every_round(words, n_merges):
    splits = {w: [bytes([b]) for b in w.encode()] for w in words}
    merges = []
    for _ in range(n_merges):
        merges.append(most_common_pair(list(splits.values())))
        splits = {w: merge_pair(s, merges[-1]) for w, s in splits.items()}
    return merges


@pair("train_bpe", "stops_at_single_occurrences", "ties_to_the_greatest")
def greatest_that_occurs_twice(words, n_merges):
    corpus = [[bytes([b]) for b in w.encode()] for w in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(p for w in corpus for p in pairwise(w))
        ranking = sorted(counts, key=lambda p: (counts[p], p))
        if not ranking or counts[ranking[-1]] == 1:
            break
        merges.append(ranking[-1])
        corpus = [merge_pair(w, ranking[-1]) for w in corpus]
    return merges


@pair("train_bpe", "stops_at_single_occurrences", "starts_from_characters")
def characters_at_least_twice(words, n_merges):
    corpus = [[c.encode() for c in w] for w in words]
    merges = []
    for _ in range(n_merges):
        counts = Counter(p for w in corpus for p in pairwise(w))
        best = most_common_pair(corpus)
        if counts[best] <= 1:
            break
        merges.append(best)
        corpus = [merge_pair(w, best) for w in corpus]
    return merges


@pair("train_bpe", "counted_once_at_the_start", "starts_from_characters")
def most_common_pairs_of_characters(words, n_merges):
    counts = Counter()
    for w in words:
        for a, b in pairwise(w):
            counts[a.encode(), b.encode()] += 1
    return [p for p, _ in counts.most_common(n_merges)]


# --- spelling_variants ---------------------------------------------------------------------------


@pair("spelling_variants", "automatic_bos", "only_spaces_restored")
def tokens_of_ids_with_the_space_put_back(tokenizer, word):
    result = {}
    for form in (word, word.capitalize()):
        for variant in (form, " " + form):
            found = tokenizer.convert_ids_to_tokens(tokenizer(variant)["input_ids"])
            result[variant] = [t.replace("Ġ", " ") for t in found]
    return result


# --- token_spans ---------------------------------------------------------------------------------


@pair("token_spans", "automatic_bos", "decoded_one_by_one")
def every_id_decoded(tokenizer, text):
    out, end = [], 0
    for i in tokenizer(text)["input_ids"]:
        b = tokenizer.decode([i]).encode("utf-8")
        out.append((b, end, end + len(b)))
        end += len(b)
    return out


@pair("token_spans", "first_occurrence", "character_offsets")
def searched_in_characters(tokenizer, text):
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    out = []
    for a, b in offsets["offset_mapping"]:
        start = text.find(text[a:b])
        out.append((text[a:b].encode(), start, start + b - a))
    return out


@pair("token_spans", "first_occurrence", "whole_characters")
def whole_characters_searched_for(tokenizer, text):
    enc = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    data = text.encode()
    pieces = [text[a:b].encode() for a, b in enc["offset_mapping"]]
    return [(p, data.index(p), data.index(p) + len(p)) for p in pieces]


# --- prepend_bos ---------------------------------------------------------------------------------


@pair("prepend_bos", "behind_the_sequence", "int64_whatever_comes_in")
def ones_times_bos_behind(tokens, bos_token_id=BOS):
    column = bos_token_id * torch.ones(*tokens.shape[:-1], 1, dtype=torch.long)
    return torch.cat((tokens, column.to(tokens.device)), -1)


@pair("prepend_bos", "behind_the_sequence", "batch_taken_for_granted")
def column_behind_a_matrix(tokens, bos_token_id=BOS):
    column = torch.full((len(tokens), 1), bos_token_id, dtype=tokens.dtype, device=tokens.device)
    return torch.cat((tokens, column), 1)


@pair("prepend_bos", "always_50256", "int64_whatever_comes_in")
def long_50256(tokens, bos_token_id=BOS):
    bos = torch.full((*tokens.shape[:-1], 1), 50256, dtype=torch.long, device=tokens.device)
    return torch.cat([bos, tokens], dim=-1)


@pair("prepend_bos", "always_50256", "batch_taken_for_granted")
def matrix_of_50256(tokens, bos_token_id=BOS):
    bos = torch.full((tokens.shape[0], 1), 50256, dtype=tokens.dtype, device=tokens.device)
    return torch.cat([bos, tokens], dim=1)


@pair("prepend_bos", "only_where_missing", "int64_whatever_comes_in")
def long_column_unless_there(tokens, bos_token_id=BOS):
    has_bos = tokens.numel() > 0 and torch.all(tokens[..., 0] == bos_token_id)
    if not has_bos:
        shape = list(tokens.shape)
        shape[-1] = 1
        bos = torch.zeros(shape, dtype=torch.int64, device=tokens.device) + bos_token_id
        tokens = torch.cat([bos, tokens], dim=-1)
    return tokens


@pair("prepend_bos", "one_bos_for_the_batch", "behind_the_sequence")
def one_column_behind(tokens, bos_token_id=BOS):
    end = torch.tensor([[bos_token_id]]).to(tokens)
    return torch.cat([tokens, end], dim=1)


@pair("prepend_bos", "one_bos_for_the_batch", "only_where_missing")
def one_column_unless_there(tokens, bos_token_id=BOS):
    first = tokens[..., :1]
    if first.numel() and first.eq(bos_token_id).all():
        return tokens
    return torch.cat([tokens.new_tensor([[bos_token_id]]), tokens], dim=1)


# --- strip_bos -----------------------------------------------------------------------------------


@pair("strip_bos", "mixture_unnoticed", "batch_taken_for_granted")
def matrix_where_all_begin_so(tokens, bos_token_id=BOS):
    starts = tokens[:, :1] == bos_token_id
    return tokens[:, 1:] if torch.all(starts) else tokens


@pair("strip_bos", "empty_sequence_unforeseen", "batch_taken_for_granted")
def first_column_of_a_matrix(tokens, bos_token_id=BOS):
    starts = torch.eq(tokens[:, 0], bos_token_id)
    if torch.all(starts):
        return tokens[:, 1:]
    if torch.any(starts):
        raise ValueError("mixed batch")
    return tokens


@pair("strip_bos", "first_token_whatever_it_is", "batch_taken_for_granted")
def first_column_off(tokens, bos_token_id=BOS):
    return tokens[:, 1:]


@pair("strip_bos", "all_leading_ones", "batch_taken_for_granted")
def columns_off_while_all_bos(tokens, bos_token_id=BOS):
    while tokens[:, :1].numel() and torch.all(tokens[:, 0] == bos_token_id):
        tokens = tokens[:, 1:]
    if tokens[:, :1].eq(bos_token_id).any():
        raise ValueError("only some rows begin with BOS")
    return tokens


@pair("strip_bos", "all_leading_ones", "empty_sequence_unforeseen")
def first_tokens_off_while_all_bos(tokens, bos_token_id=BOS):
    starts = tokens[..., 0] == bos_token_id
    while starts.numel() and starts.all():
        tokens = tokens[..., 1:]
        if tokens.shape[-1] == 0:
            return tokens
        starts = tokens[..., 0] == bos_token_id
    if starts.any():
        raise ValueError("mixture")
    return tokens


@pair("strip_bos", "one_sequence_only", "empty_sequence_unforeseen")
def token_0_is_bos(tokens, bos_token_id=BOS):
    return tokens[1:] if tokens[0].item() == bos_token_id else tokens


@pair("strip_bos", "one_sequence_only", "all_leading_ones")
def token_0_while_it_is_bos(tokens, bos_token_id=BOS):
    while len(tokens) and tokens[0] == bos_token_id:
        tokens = tokens[1:]
    return tokens


# --- encode --------------------------------------------------------------------------------------


@pair("encode", "mask_of_ones", "bos_always")
def bos_and_ones_everywhere(tokenizer, texts, prepend_bos=True):
    if isinstance(texts, str):
        texts = [texts]
    rows = [[BOS, *tokenizer.encode(t, add_special_tokens=False)] for t in texts]
    n = max(len(r) for r in rows)
    ids = torch.tensor([r + [BOS] * (n - len(r)) for r in rows])
    return ids, torch.ones(ids.shape, dtype=torch.long)


@pair("encode", "padded_on_the_left", "one_text_without_a_batch")
def left_and_squeezed(tokenizer, texts, prepend_bos=True):
    is_one = isinstance(texts, str)
    front = tokenizer.bos_token if prepend_bos else ""
    tokenizer.padding_side = "left"
    out = tokenizer(
        [front + t for t in ([texts] if is_one else texts)],
        padding=True, add_special_tokens=False, return_tensors="pt",
    )  # fmt: skip
    if is_one:
        return out.input_ids.squeeze(0), out.attention_mask.squeeze(0)
    return out.input_ids, out.attention_mask


@pair("encode", "padded_on_the_left", "callers_list_changed")
def left_of_texts_changed(tokenizer, texts, prepend_bos=True):
    texts = [texts] if isinstance(texts, str) else texts
    if prepend_bos:
        for i, t in enumerate(texts):
            texts[i] = "<|endoftext|>" + t
    rows = [tokenizer.encode(t, add_special_tokens=False) for t in texts]
    n = max(map(len, rows))
    ids = torch.full((len(rows), n), tokenizer.eos_token_id)
    mask = torch.zeros_like(ids)
    for i, r in enumerate(rows):
        ids[i, n - len(r) :] = torch.tensor(r, dtype=torch.long)
        mask[i, n - len(r) :] = 1
    return ids, mask


@pair("encode", "automatic_bos_on_top", "truncated")
def all_that_the_tokenizer_offers(tokenizer, texts, prepend_bos=True):
    batch = [texts] if isinstance(texts, str) else list(texts)
    if prepend_bos:
        batch = [tokenizer.bos_token + t for t in batch]
    enc = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
    return enc["input_ids"], enc["attention_mask"]


@pair("encode", "bos_always", "truncated")
def bos_and_no_more_than_the_context(tokenizer, texts, prepend_bos=True):
    if type(texts) is str:
        texts = [texts]
    rows = [tokenizer.encode("<|endoftext|>" + t, add_special_tokens=False) for t in texts]
    rows = [r[:1024] for r in rows]
    n = max(map(len, rows))
    ids = torch.tensor([r + [tokenizer.eos_token_id] * (n - len(r)) for r in rows])
    mask = torch.tensor([[1] * len(r) + [0] * (n - len(r)) for r in rows])
    return ids, mask


@pair("encode", "floats_where_there_is_no_token", "mask_of_ones")
def lists_to_tensors_and_ones(tokenizer, texts, prepend_bos=True):
    texts = [texts] if isinstance(texts, str) else texts
    rows = []
    for t in texts:
        r = tokenizer.encode(t, add_special_tokens=False)
        rows.append([tokenizer.bos_token_id, *r] if prepend_bos else r)
    n = max(len(r) for r in rows)
    for r in rows:
        r += [tokenizer.eos_token_id] * (n - len(r))
    ids = torch.tensor(rows)
    return ids, torch.ones_like(ids)


@pair("encode", "bos_left_to_the_tokenizer", "padded_on_the_left")
def left_to_the_tokenizer_and_left(tokenizer, texts, prepend_bos=True):
    if not isinstance(texts, list):
        texts = [texts]
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.eos_token
    out = tokenizer(texts, padding="longest", add_special_tokens=prepend_bos, return_tensors="pt")
    return out["input_ids"], out["attention_mask"]


# --- inputs_and_targets --------------------------------------------------------------------------


def with_long_bos(tokens, bos_token_id):
    bos = torch.full((*tokens.shape[:-1], 1), bos_token_id, device=tokens.device)
    return torch.cat([bos, tokens], dim=-1)


@pair("inputs_and_targets", "swapped", "int64_with_bos")
def second_to_last_first(tokens, bos_token_id=None):
    if bos_token_id is not None:
        tokens = with_long_bos(tokens, bos_token_id)
    targets, inputs = tokens[..., :-1], tokens[..., 1:]
    return inputs, targets


@pair("inputs_and_targets", "rolled", "int64_with_bos")
def rolled_behind_a_long_bos(tokens, bos_token_id=None):
    if bos_token_id is not None:
        tokens = with_long_bos(tokens, bos_token_id)
    return tokens, torch.roll(tokens, shifts=-1, dims=-1)


@pair("inputs_and_targets", "not_shifted", "int64_with_bos")
def labels_are_input_ids_behind_a_long_bos(tokens, bos_token_id=None):
    if bos_token_id is not None:
        tokens = with_long_bos(tokens, bos_token_id)
    return tokens, tokens.clone()


@pair("inputs_and_targets", "batch_taken_for_granted", "int64_with_bos")
def matrix_with_a_long_column(tokens, bos_token_id=None):
    if bos_token_id is not None:
        column = torch.tensor([[bos_token_id]] * tokens.shape[0], device=tokens.device)
        tokens = torch.cat((column, tokens), dim=1)
    return tokens[:, :-1], tokens[:, 1:]


@pair("inputs_and_targets", "bos_0_taken_for_none", "last_token_still_an_input")
def truthy_bos_and_all_tokens(tokens, bos_token_id=None):
    if not bos_token_id:
        return tokens[..., :-1], tokens[..., 1:]
    shape = (*tokens.shape[:-1], 1)
    return torch.cat([tokens.new_full(shape, bos_token_id), tokens], -1), tokens


@pair("inputs_and_targets", "bos_0_taken_for_none", "batch_taken_for_granted")
def truthy_bos_before_a_matrix(tokens, bos_token_id=None):
    if bos_token_id:
        column = tokens.new_full((tokens.shape[0], 1), bos_token_id)
        tokens = torch.cat([column, tokens], dim=1)
    inputs = tokens[:, :-1]
    return inputs, tokens[:, 1:]
