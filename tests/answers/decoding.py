"""Answers to lesson 4: right ones in unlike styles, and wrong ones that are no misconception."""

import einops
import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from answers import (
    ARGUMENT_CHANGED,
    NEARLY_RIGHT,
    SOME_MISSING,
    SOME_TOO_MANY,
    arguments,
    is_right,
    is_wrong,
)
from grader.verdict.near_ties import clear, clear_continuation

BOS = 50256
NEVER = 50255


def untied_logits(shapes):
    """Float tensors of these shapes in which no two logits of a position are equal."""

    def make(shape, seed, dtype):
        generator = torch.Generator().manual_seed(seed)
        return torch.rand(shape, generator=generator).argsort(-1).sub(shape[-1] // 2).to(dtype)

    dtypes = st.sampled_from([torch.float32, torch.float64, torch.float16])
    return st.builds(make, shapes, st.integers(0, 999), dtypes)


def ids(*shape, seed=0, below=50257):
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(seed))


short_texts = st.text("abé ,.\n", min_size=1, max_size=8)

is_right("argmax_decode")(lambda logits: logits.softmax(-1).topk(1).indices.squeeze(-1))


is_right("argmax_decode")(lambda logits: torch.from_numpy(logits.numpy().argmax(-1)).int())


@is_right("argmax_decode")
def with_lists(logits):
    return torch.tensor(
        [[max(range(len(row)), key=row.__getitem__) for row in rows] for rows in logits.tolist()]
    )


@is_right("argmax_decode")
def by_comparing(logits):
    is_best = logits == einops.reduce(logits, "batch seq vocab -> batch seq 1", "max")
    return (is_best * torch.arange(logits.shape[-1], device=logits.device)).sum(-1)


is_wrong("argmax_decode", named="over_the_positions")(lambda logits: logits.mT.argmax(-1))


is_wrong("argmax_decode", named="over_everything")(lambda logits: logits.flatten().max(0).indices)


is_wrong("argmax_decode", named="the_highest_logits")(lambda logits: logits.sort(-1)[0][..., -1])


is_wrong("argmax_decode", named="only_the_last_position")(
    lambda logits: torch.stack([row.argmax() for row in logits[:, -1]])
)


is_wrong("argmax_decode", named="vocabulary_dimension_kept")(
    lambda logits: logits.argmax(-1, keepdim=True)
)


is_wrong("argmax_decode", named="only_the_first_sequence")(lambda logits: logits.argmax(-1)[0])


is_wrong("argmax_decode", named="least_likely")(lambda logits: logits.argmin(-1))


is_wrong("argmax_decode", named="values_and_indices")(lambda logits: logits.max(-1))


is_wrong("argmax_decode", named="every_dimension_squeezed")(
    lambda logits: logits.argmax(-1).squeeze()
)


def overflowing_softmax(logits):
    return logits.exp() / logits.exp().sum(-1, keepdim=True)


is_wrong("argmax_decode", named="exponentials_that_overflow")(
    lambda logits: overflowing_softmax(logits).argmax(-1)
)


is_wrong("next_token", named="exponentials_that_overflow")(
    lambda logits: overflowing_softmax(logits[:, -1]).argmax(-1)
)


is_right("argmax_decode")(
    lambda logits: overflowing_softmax(logits - logits.amax(-1, True)).argmax(-1)
)


@arguments("argmax_decode")
def argmax_decode_arguments():
    """(logits,)"""
    return st.builds(
        lambda logits: (logits,),
        untied_logits(st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 7))),
    )


@is_right("predicted_pairs")
def the_notes_way(model, text):
    tokens = model.to_tokens(text)
    expected = model.run_with_cache(tokens)[0].softmax(-1).argmax(-1)
    return list(
        zip(
            model.to_str_tokens(tokens[0], prepend_bos=False),
            model.to_str_tokens(expected[0], prepend_bos=False),
            strict=True,
        )
    )


@is_right("predicted_pairs")
def by_the_tokenizer_alone(model, text):
    tokenizer = model.tokenizer
    token_ids = [BOS, *tokenizer.encode(text, add_special_tokens=False)]
    with torch.inference_mode():
        logits = model(torch.tensor([token_ids], device=model.cfg.device))[0]
    expected = logits.topk(1).indices.tolist()
    given = [[token_id] for token_id in token_ids]
    return list(map(list, zip(*map(tokenizer.batch_decode, (given, expected)), strict=True)))


@is_right("predicted_pairs")
def one_token_after_another(model, text):
    pairs, tokens = [], model.to_tokens(text)
    logits = model(tokens).detach().squeeze(0).cpu().numpy()
    for position in range(tokens.shape[1]):
        both = tokens[0, position].item(), int(np.argmax(logits[position]))
        pairs += [tuple(model.to_string(torch.tensor([[token]]))[0] for token in both)]
    return pairs


is_wrong("predicted_pairs", named="bos_left_out_of_the_pairs")(
    lambda model, text: the_notes_way(model, text)[1:]
)


is_wrong("predicted_pairs", named="last_prediction_dropped")(
    lambda model, text: the_notes_way(model, text)[:-1]
)


is_wrong("predicted_pairs", named="no_bos_in_front")(
    lambda model, text: [
        (model.to_single_str_token(a), model.to_single_str_token(b))
        for a, b in zip(
            model.to_tokens(text, prepend_bos=False)[0].tolist(),
            model(text, prepend_bos=False)[0].argmax(-1).tolist(),
            strict=True,
        )
    ]
)


is_wrong("predicted_pairs")(
    lambda model, text: [
        (a.replace(" ", "Ġ"), b.replace(" ", "Ġ")) for a, b in the_notes_way(model, text)
    ]
)


is_wrong("predicted_pairs", named="expected_first")(
    lambda model, text: [(b, a) for a, b in the_notes_way(model, text)]
)


is_wrong("predicted_pairs", named="beside_the_token_predicted")(
    lambda model, text: [
        (a, b)
        for (a, _), (_, b) in zip(
            the_notes_way(model, text)[1:], the_notes_way(model, text), strict=False
        )
    ]
)


@is_wrong("predicted_pairs", named="expected_special_tokens_skipped")
def no_special_tokens_predicted(model, text):
    with torch.no_grad():
        expected = model(text)[0].argmax(-1).tolist()
    decode = model.tokenizer.decode
    tokens = model.to_tokens(text)[0].tolist()
    return [
        (decode([a]), decode([b], skip_special_tokens=True))
        for a, b in zip(tokens, expected, strict=True)
    ]


is_right("next_token")(lambda logits: torch.stack([row[-1].argmax() for row in logits]))


is_wrong("predicted_pairs", named=SOME_MISSING)(
    lambda model, text: the_notes_way(model, text.rstrip())
)


@arguments("predicted_pairs")
def predicted_pairs_arguments(reference):
    """(model, text)"""
    with torch.no_grad():
        texts = [
            t
            for t in ["", " ", "\n", "a", "Ralph", "été", "1 + 1", "def f(x):"]
            if clear(reference(t))
        ]
    return st.tuples(st.just(reference), st.sampled_from(texts))


is_right("next_token")(lambda logits: logits.argmax(-1)[:, -1].to(torch.int32))


@is_right("next_token")
def by_rearranging(logits):
    last = einops.rearrange(logits, "batch seq vocab -> seq batch vocab")[-1]
    return last.sort(dim=1, descending=True).indices[:, 0]


is_wrong("next_token", named="at_every_position")(lambda logits: logits.topk(1)[1].squeeze(-1))


is_wrong("next_token", named="as_a_column")(lambda logits: logits[:, -1].topk(1).indices)


is_wrong("next_token", named="of_the_first_sequence")(
    lambda logits: logits[0].argmax(-1)[-1].item()
)


is_wrong("next_token", named="last_sequence_for_last_position")(
    lambda logits: logits.argmax(-1)[-1]
)


@arguments("next_token")
def next_token_arguments():
    """(logits,)"""
    return argmax_decode_arguments()


is_wrong("next_token", named="over_the_batch")(lambda logits: logits[:, -1].argmax(0))


@is_right("append_token")
def by_new_empty(tokens, token):
    out = tokens.new_empty(len(tokens), tokens.shape[1] + 1)
    out[:, :-1], out[:, -1] = tokens, token
    return out


is_right("append_token")(
    lambda tokens, token: torch.hstack(
        [tokens, einops.rearrange(token, "b -> b 1").type_as(tokens)]
    )
)


@is_right("append_token")
def by_padding(tokens, token):
    longer = F.pad(tokens, (0, 1))
    longer[:, -1] = token
    return longer


is_right("append_token")(
    lambda tokens, token: torch.tensor(
        [[*row, new] for row, new in zip(tokens.tolist(), token.tolist(), strict=True)],
        dtype=tokens.dtype,
        device=tokens.device,
    )
)


is_wrong("append_token", named="widened")(
    lambda tokens, token: torch.cat([tokens.long(), token[:, None]], dim=1)
)


is_wrong("append_token", named="no_dimension_added")(
    lambda tokens, token: torch.hstack((tokens, token))
)


is_wrong("append_token", named="as_a_row")(
    lambda tokens, token: torch.vstack((tokens, token.type_as(tokens)))
)


is_wrong("append_token", named="in_front")(
    lambda tokens, token: by_padding(tokens.flip(1), token).flip(1)
)


@is_wrong("append_token", named={"last_token_replaced", ARGUMENT_CHANGED})
def in_place_of_the_last(tokens, token):
    tokens[:, -1] = token
    return tokens


@is_wrong("append_token", named=ARGUMENT_CHANGED)
def extends_what_it_was_given(tokens, token):
    tokens.data = by_padding(tokens, token)
    return tokens


is_wrong("append_token", named="no_dimension_added")(
    lambda tokens, token: torch.stack([tokens, token])
)


is_wrong("append_token", named="no_dimension_added")(
    lambda tokens, token: torch.cat([tokens, token[None, None]], dim=1)
)


@arguments("append_token")
def append_token_arguments():
    """(tokens, token)"""
    return st.builds(
        lambda batch, seq, seed, dtype: (
            ids(batch, seq, seed=seed).to(dtype),
            ids(batch, seed=seed + 1),
        ),
        st.integers(1, 4),
        st.integers(0, 5),
        st.integers(0, 999),
        st.sampled_from([torch.int64, torch.int32]),
    )


is_wrong("append_token", named="first_token_for_all")(
    lambda tokens, token: torch.cat(
        [tokens, token[:1, None].expand(len(tokens), 1).to(tokens)], dim=1
    )
)


is_wrong("append_token", named="every_token_to_every_sequence")(
    lambda tokens, token: torch.cat([tokens, token[None].expand(len(tokens), -1).to(tokens)], dim=1)
)


@is_right("token_accuracy")
def count_by_hand(logits, tokens, attention_mask):
    hits = total = 0
    for row, ids, mask in zip(
        logits.argmax(-1).tolist(), tokens.tolist(), attention_mask.tolist(), strict=True
    ):
        for j in range(1, len(ids)):
            total += mask[j]
            hits += mask[j] * (row[j - 1] == ids[j])
    return hits / total


def hits_of(logits, tokens):
    return (logits.argmax(-1)[:, :-1] == tokens[:, 1:]).float()


is_right("token_accuracy")(
    lambda l, t, m: (hits_of(l.double(), t) * m[:, 1:]).sum() / m[:, 1:].sum()
)


@is_right("token_accuracy")
def row_by_row(logits, tokens, attention_mask):
    hits = []
    for scores, row, length in zip(logits, tokens, attention_mask.sum(1).tolist(), strict=True):
        text = row[:length]
        hits.append(text[1:].eq(scores[: len(text[1:])].max(-1).indices))
    return torch.cat(hits).float().mean()


@is_right("token_accuracy")
def with_numpy(logits, tokens, attention_mask):
    guesses = np.roll(logits.numpy().argmax(-1), 1, axis=1)
    weights = attention_mask.numpy().copy()
    weights[:, 0] = 0
    return torch.tensor(np.average(guesses == tokens.numpy(), weights=weights))


is_wrong("token_accuracy", named="not_shifted_and_not_masked")(
    lambda l, t, m: (l.argmax(-1) == t).float().mean()
)


is_wrong("token_accuracy", named="padding_counted")(
    lambda l, t, m: count_by_hand(l, t, torch.ones_like(m))
)


is_wrong("token_accuracy", named="first_tokens_in_the_denominator")(
    lambda l, t, m: hits_of(l, t)[m[:, 1:] == 1].sum() / m.sum()
)


is_wrong("token_accuracy", named="mask_of_the_token_before")(
    lambda l, t, m: (hits_of(l, t) * m[:, :-1]).sum() / m[:, :-1].sum()
)


is_wrong("token_accuracy", named="padding_counted_as_wrong")(
    lambda l, t, m: hits_of(l, t).masked_fill(m[:, 1:] == 0, 0).mean()
)


is_wrong("token_accuracy")(
    lambda l, t, m: (
        (l.topk(2).indices[:, :-1] == t[:, 1:, None]).any(-1)[m[:, 1:] == 1].float().mean()
    )
)


is_wrong("token_accuracy")(
    lambda l, t, m: F.cross_entropy(l[:, :-1][m[:, 1:] == 1], t[:, 1:][m[:, 1:] == 1]).neg().exp()
)


is_wrong("token_accuracy", named="padding_told_by_its_id")(
    lambda l, t, m: hits_of(l, t).masked_select(t[:, 1:].ne(BOS)).mean()
)


is_wrong("token_accuracy", named="eos_thrown_away_with_the_padding")(
    lambda l, t, m: count_by_hand(l, t, m * (t != BOS))
)


@arguments("token_accuracy")
def token_accuracy_arguments():
    """(logits, tokens, attention_mask), with a sequence of two tokens or more"""

    def make(logits, lengths, seed):
        batch, seq, d_vocab = logits.shape
        lengths = torch.tensor(lengths[:batch]).clamp(max=seq)
        lengths[0] = seq
        mask = (torch.arange(seq) < lengths[:, None]).long()
        return logits, ids(batch, seq, seed=seed, below=d_vocab), mask

    return st.builds(
        make,
        untied_logits(st.tuples(st.integers(1, 4), st.integers(2, 6), st.integers(2, 4))),
        st.lists(st.integers(1, 6), min_size=4, max_size=4),
        st.integers(0, 999),
    )


is_wrong("token_accuracy", named="number_of_hits")(lambda l, t, m: (hits_of(l, t) * m[:, 1:]).sum())


is_wrong("token_accuracy", named="per_cent")(lambda l, t, m: 100 * count_by_hand(l, t, m))


def generate(model, tokens, n, eos=None, keep_prompt=True, position=-1, stop_inside=False):
    start = tokens.shape[1]
    with torch.no_grad():
        for _ in range(n):
            if stop_inside and eos in tokens[0].tolist():
                break
            new = model(tokens)[:, position].argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, new], dim=1)
            if eos is not None and new.item() == eos:
                break
    return tokens if keep_prompt else tokens[:, start:]


@is_right("greedy_generate")
def with_lists_of_ids(model, prompt, n_tokens, prepend_bos=True):
    ids = [BOS] * prepend_bos + model.tokenizer.encode(prompt, add_special_tokens=False)
    for _ in range(n_tokens):
        with torch.inference_mode():
            ids.append(int(model(torch.tensor([ids], device=model.cfg.device))[0, -1].argmax()))
    return torch.tensor([ids])


@is_right("greedy_generate")
def recursively(model, prompt, n_tokens, prepend_bos=True):
    tokens = (
        prompt
        if isinstance(prompt, torch.Tensor)
        else model.to_tokens(prompt, prepend_bos=prepend_bos)
    )
    return tokens if n_tokens == 0 else recursively(model, generate(model, tokens, 1), n_tokens - 1)


@is_right("greedy_generate")
@torch.no_grad()
def in_one_buffer(model, prompt, n_tokens, prepend_bos=True):
    start = model.to_tokens(prompt, prepend_bos=prepend_bos)
    tokens = F.pad(start, (0, n_tokens), value=-1)
    for i in range(start.shape[1], tokens.shape[1]):
        tokens[:, i] = model(tokens[:, :i])[:, -1].max(-1).indices
    return tokens


def the_last(n):
    def greedy(model, prompt, n_tokens, prepend_bos=True):
        tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
        with torch.no_grad():
            for _ in range(n_tokens):
                new = model(tokens[:, -n:])[:, -1].argmax(-1, keepdim=True)
                tokens = torch.cat([tokens, new], dim=1)
        return tokens

    return greedy


is_wrong("greedy_generate")(the_last(16))


is_wrong("greedy_generate")(the_last(32))


@is_wrong("greedy_generate", named="no_bos_where_the_prompt_has_one")
def no_second_bos(model, prompt, n_tokens, prepend_bos=True):
    own = prompt.startswith("<|endoftext|>")
    return generate(model, model.to_tokens(prompt, prepend_bos=prepend_bos and not own), n_tokens)


@is_wrong("greedy_generate", named="sampled")
def samples(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        for _ in range(n_tokens):
            tokens = torch.cat(
                [tokens, torch.multinomial(model(tokens)[:, -1].softmax(-1), 1)], dim=1
            )
    return tokens


@is_wrong("greedy_generate", named="logits_never_updated")
def logits_of_the_prompt_reused(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    with torch.no_grad():
        new = model(tokens)[:, -1].argmax(-1, keepdim=True)
    return torch.cat([tokens, new.repeat(1, n_tokens)], dim=1)


@is_wrong("greedy_generate")
def by_model_generate(model, prompt, n_tokens, prepend_bos=True):
    return model.generate(
        model.to_tokens(prompt, prepend_bos=prepend_bos),
        max_new_tokens=n_tokens,
        do_sample=False,
        stop_at_eos=False,
        verbose=False,
    )


def from_text(**options):
    def greedy(model, prompt, n_tokens, prepend_bos=True):
        return generate(
            model, model.to_tokens(prompt, prepend_bos=prepend_bos), n_tokens, **options
        )

    return greedy


is_wrong("greedy_generate", named="only_the_new_tokens")(from_text(keep_prompt=False))


is_wrong("greedy_generate", named="from_the_first_position")(from_text(position=0))


is_wrong("greedy_generate", named="stops_at_eos")(from_text(eos=BOS))


is_wrong("greedy_generate", named="always_a_bos")(
    lambda m, p, n, prepend_bos=True: with_lists_of_ids(m, p, n)
)


@is_wrong("greedy_generate", named="gradients_kept")
def gradients_detached_too_late(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    for _ in range(n_tokens):
        tokens = torch.cat([tokens, model(tokens).detach()[:, -1:].argmax(-1)], dim=1)
    return tokens


is_wrong("greedy_generate", named="one_token_too_many")(
    lambda m, p, n, prepend_bos=True: generate(m, m.to_tokens(p, prepend_bos=prepend_bos), n + 1)
)


is_wrong("greedy_generate", named="two_bos")(
    lambda m, p, n, prepend_bos=True: generate(m, m.to_tokens("<|endoftext|>" + p), n)
)


is_wrong("greedy_generate", named="text_in_place_of_tokens")(
    lambda m, p, n, prepend_bos=True: m.to_string(
        generate(m, m.to_tokens(p, prepend_bos=prepend_bos), n)
    )[0]
)


@arguments("greedy_generate")
def greedy_generate_arguments(reference):
    """(model, prompt, n_tokens, prepend_bos)"""

    def is_clear(args):
        _, prompt, n, prepend_bos = args
        tokens = reference.to_tokens(prompt, prepend_bos=prepend_bos)
        return clear_continuation(reference, tokens, n) is not None

    return st.tuples(st.just(reference), short_texts, st.integers(0, 3), st.booleans()).filter(
        is_clear
    )


@is_right("generate_until")
def while_true(model, tokens, max_new_tokens, eos_token_id=BOS):
    ids, made = tokens[0].tolist(), []
    while len(made) < max_new_tokens and (not made or made[-1] != eos_token_id):
        logits = model(torch.tensor([ids + made], device=model.cfg.device))
        made.append(logits[0, -1].argmax().item())
    return torch.tensor([ids + made])


@is_right("generate_until")
@torch.no_grad()
def one_token_and_the_rest(model, tokens, max_new_tokens, eos_token_id=BOS):
    if max_new_tokens == 0:
        return tokens
    new = model(tokens).softmax(-1)[:, -1:].argmax(-1)
    longer = torch.cat([tokens, new], dim=1)
    if new == eos_token_id:
        return longer
    return one_token_and_the_rest(model, longer, max_new_tokens - 1, eos_token_id)


@is_right("generate_until")
def from_a_generator(model, tokens, max_new_tokens, eos_token_id=BOS):
    def predictions(seen):
        for _ in range(max_new_tokens):
            with torch.inference_mode():
                best = model(seen)[0, -1].topk(1).indices
            yield best
            if best.item() == eos_token_id:
                return
            seen = torch.hstack((seen, best[None]))

    return torch.cat([tokens[0], *predictions(tokens)])[None]


is_wrong("generate_until", named="never_stops")(
    lambda m, t, n, eos_token_id=BOS: generate(m, t, n, eos=-1)
)


is_wrong("generate_until", named="eos_of_the_tokenizer")(
    lambda m, t, n, eos_token_id=BOS: generate(m, t, n, eos=BOS)
)


is_wrong("generate_until", named="prompt_that_ends_in_eos")(
    lambda m, t, n, eos_token_id=BOS: (
        t if t[0, -1] == eos_token_id else generate(m, t, n, eos=eos_token_id)
    )
)


@is_wrong("generate_until")
def the_last_sixteen_until_eos(model, tokens, max_new_tokens, eos_token_id=BOS):
    for _ in range(max_new_tokens):
        new = generate(model, tokens[:, -16:], 1)[:, -1:]
        tokens = torch.cat([tokens, new], dim=1)
        if new.item() == eos_token_id:
            break
    return tokens


@is_wrong("generate_until", named=SOME_MISSING)
def looks_past_the_bos(model, tokens, max_new_tokens, eos_token_id=BOS):
    for _ in range(max_new_tokens):
        if eos_token_id in tokens[0, 1:].tolist():
            break
        tokens = generate(model, tokens, 1)
    return tokens


@arguments("generate_until")
def generate_until_arguments(reference):
    """(model, tokens, max_new_tokens, eos_token_id)"""
    prompts = st.builds(lambda text: reference.to_tokens(text), short_texts)
    return continued(reference, prompts)


def continued(reference, prompts):
    """(model, tokens, max_new_tokens, eos_token_id): the EOS one of what comes, or another."""

    def make(tokens, max_new, eos):
        new = clear_continuation(reference, tokens, max_new)
        if new is None:
            return None
        said = [BOS, NEVER, *new.flatten().tolist()]
        return reference, tokens, max_new, said[eos % len(said)]

    made = st.builds(make, prompts, st.integers(0, 3), st.integers(0, 99))
    return made.filter(lambda args: args is not None)


is_wrong("generate_until", named="eos_anywhere_stops_before_it_began")(
    lambda m, t, n, eos_token_id=BOS: generate(m, t, n, eos=eos_token_id, stop_inside=True)
)


is_wrong("generate_until", named="only_the_new_tokens")(
    lambda m, t, n, eos_token_id=BOS: generate(m, t, n, eos=eos_token_id, keep_prompt=False)
)


is_wrong("generate_until", named="one_token_too_many")(
    lambda m, t, n, eos_token_id=BOS: generate(m, t, n + 1, eos=eos_token_id)
)


is_wrong("generate_until", named="a_bos_put_in_front")(
    lambda m, t, n, eos_token_id=BOS: generate(
        m, torch.cat([torch.full_like(t[:, :1], BOS), t], 1), n, eos=eos_token_id
    )
)


is_wrong("generate_until", named="off by one: the same without the last entry")(
    lambda m, t, n, eos_token_id=BOS: generate(m, t, 1000 if n > 5 else n, eos=eos_token_id)[
        :, : t.shape[1] + n - 1
    ]
)


@is_wrong("generate_until", named="eos_left_out")
def drops_the_eos(model, tokens, max_new_tokens, eos_token_id=BOS):
    out = generate(model, tokens, max_new_tokens, eos=eos_token_id)
    return out[:, :-1] if out.shape[1] > tokens.shape[1] and out[0, -1] == eos_token_id else out


@is_right("generate_batch")
def with_a_mask(model, tokens, max_new_tokens, eos_token_id=BOS):
    rows, live = tokens.tolist(), [True] * len(tokens)
    while any(live) and len(rows[0]) < tokens.shape[1] + max_new_tokens:
        running = [row for row, on in zip(rows, live, strict=True) if on]
        with torch.inference_mode():
            logits = model(torch.tensor(running, device=model.cfg.device))
        new = iter(logits[:, -1].max(dim=-1).indices.tolist())
        for i, row in enumerate(rows):
            row.append(next(new) if live[i] else eos_token_id)
            live[i] = live[i] and row[-1] != eos_token_id
    return torch.tensor(rows)


@is_right("generate_batch")
def the_ended_and_the_others_apart(model, tokens, max_new_tokens, eos_token_id=BOS):
    done, live, longest = {}, dict(enumerate(tokens)), tokens.shape[1]
    while live and longest < tokens.shape[1] + max_new_tokens:
        longest += 1
        for i, row in zip(live, next_column(model, torch.stack([*live.values()])), strict=True):
            live[i] = row
        done |= {i: row for i, row in live.items() if row[-1] == eos_token_id}
        live = {i: row for i, row in live.items() if i not in done}
    rows = [row for _, row in sorted((done | live).items(), key=lambda item: item[0])]
    return torch.stack([F.pad(r, (0, longest - len(r)), value=eos_token_id) for r in rows])


def next_column(model, tokens):
    with torch.no_grad():
        return torch.cat([tokens, model(tokens)[:, -1:].argmax(-1)], dim=1)


@is_wrong("generate_batch", named="rows_in_the_order_of_their_ends")
@torch.no_grad()
def in_order_of_ending(model, tokens, max_new_tokens, eos_token_id=BOS):
    running, done = tokens, []
    for _ in range(max_new_tokens):
        if not len(running):
            break
        running = next_column(model, running)
        ended = running[:, -1] == eos_token_id
        done += list(running[ended])
        running = running[~ended]
    return torch.nn.utils.rnn.pad_sequence(
        done + list(running), batch_first=True, padding_value=eos_token_id
    )


@is_wrong("generate_batch", named="row_by_row")
def one_row_at_a_time(model, tokens, max_new_tokens, eos_token_id=BOS):
    rows = [generate(model, row[None], max_new_tokens, eos=eos_token_id)[0] for row in tokens]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=eos_token_id)


@is_wrong("generate_batch", named="ended_rows_run_on")
def ended_rows_overwritten_at_the_end(model, tokens, max_new_tokens, eos_token_id=BOS):
    start = tokens.shape[1]
    for _ in range(max_new_tokens):
        tokens = next_column(model, tokens)
        if (tokens[:, start:] == eos_token_id).any(1).all():
            break
    ended = (tokens[:, start:] == eos_token_id).cumsum(1) > 0
    return torch.cat([tokens[:, :start], tokens[:, start:].masked_fill(ended, eos_token_id)], 1)


@is_wrong("generate_batch", named="first_end_ends_all")
def stops_with_the_first(model, tokens, max_new_tokens, eos_token_id=BOS):
    made = 0
    while made < max_new_tokens and (made == 0 or eos_token_id not in tokens[:, -1].tolist()):
        tokens, made = next_column(model, tokens), made + 1
    return tokens


@is_wrong("generate_batch")
def the_last_sixteen_of_each(model, tokens, max_new_tokens, eos_token_id=BOS):
    new = the_ended_and_the_others_apart(model, tokens[:, -16:], max_new_tokens, eos_token_id)
    return torch.cat([tokens[:, :-16], new], dim=1)


@is_wrong("generate_batch", named="prompt_that_ends_in_eos")
def looks_at_the_last_token_first(model, tokens, max_new_tokens, eos_token_id=BOS):
    for _ in range(max_new_tokens):
        running = tokens[:, -1] != eos_token_id
        if not running.any():
            break
        new = torch.full_like(tokens[:, :1], eos_token_id)
        new[running] = next_column(model, tokens[running])[:, -1:]
        tokens = torch.cat([tokens, new], dim=1)
    return tokens


is_wrong("generate_batch", named="eos_ignored")(lambda m, t, n, eos_token_id=BOS: generate(m, t, n))


is_wrong("generate_batch", named="an argument handed back as it came")(
    lambda m, t, n, eos_token_id=BOS: t
)


is_wrong("generate_batch", named={"filled_up_to_the_maximum", "row_by_row"})(
    lambda m, t, n, eos_token_id=BOS: F.pad(
        o := one_row_at_a_time(m, t, n, eos_token_id),
        (0, t.shape[1] + n - o.shape[1]),
        value=eos_token_id,
    )
)


is_wrong("generate_batch", named={"row_by_row", "filled_up_with_zeros"})(
    lambda m, t, n, eos_token_id=BOS: torch.nn.utils.rnn.pad_sequence(
        [generate(m, r[None], n, eos=eos_token_id)[0] for r in t], batch_first=True, padding_value=0
    )
)


@is_wrong("generate_until", named="endoftext_stops_as_well")
def stops_at_either(model, tokens, max_new_tokens, eos_token_id=BOS):
    for _ in range(max_new_tokens):
        tokens = generate(model, tokens, 1)
        if tokens[0, -1].item() in (eos_token_id, BOS):
            break
    return tokens


def batch_that(eos_default=BOS, looks_at_prompt=False):
    def generate_batch(model, tokens, max_new_tokens, eos_token_id=eos_default):
        ended = (tokens == eos_token_id).any(1) & looks_at_prompt
        for _ in range(max_new_tokens):
            if ended.all():
                break
            new = torch.full((len(tokens),), eos_token_id)
            with torch.no_grad():
                new[~ended] = model(tokens[~ended])[:, -1].argmax(-1)
            tokens = torch.cat([tokens, new[:, None]], dim=1)
            ended = ended | (new == eos_token_id)
        return tokens

    return generate_batch


is_right("generate_batch")(batch_that())


is_wrong("generate_batch", named="eos_in_the_prompt_ends_a_row")(batch_that(looks_at_prompt=True))


@arguments("generate_batch")
def generate_batch_arguments(reference):
    """(model, tokens, max_new_tokens, eos_token_id)"""

    def cut(texts, length):
        tokens = reference.to_tokens(texts)
        return tokens[:, :length]

    prompts = st.builds(cut, st.lists(short_texts, min_size=1, max_size=3), st.integers(1, 4))
    return continued(reference, prompts)


is_wrong("generate_batch", named=SOME_TOO_MANY)(batch_that(eos_default=-1))


# What production code narrows, bounds, rounds or scales.
for narrowed in (
    torch.Tensor.half,
    torch.Tensor.bfloat16,
    lambda logits: logits.clamp(-1000, 1000),
    lambda logits: logits.round(decimals=1),
    lambda logits: (logits - logits.min()) / (logits.max() - logits.min()),
):
    is_wrong("argmax_decode")(lambda logits, narrowed=narrowed: narrowed(logits).argmax(-1))
    is_wrong("next_token")(lambda logits, narrowed=narrowed: narrowed(logits)[:, -1].argmax(-1))


is_wrong("predicted_pairs")(lambda model, text: the_notes_way(model, text.replace("\r\n", "\n")))


is_wrong("predicted_pairs")(
    lambda model, text: [(a.replace("\ufffd", ""), b) for a, b in the_notes_way(model, text)]
)


is_wrong("predicted_pairs", named="no_bos_where_the_text_has_one")(
    lambda model, text: the_notes_way(model, text.removeprefix("<|endoftext|>"))
)


is_wrong("append_token", named=SOME_MISSING)(
    lambda tokens, token: tokens if (token == BOS).any() else by_padding(tokens, token)
)


is_wrong("append_token", named=SOME_MISSING)(
    lambda tokens, token: (
        tokens if tokens.shape[1] and (tokens[:, -1] == token).any() else by_padding(tokens, token)
    )
)


is_wrong("token_accuracy", named=NEARLY_RIGHT)(lambda l, t, m: round(count_by_hand(l, t, m), 4))


is_wrong("token_accuracy", named="mean_of_truth_values")(
    lambda l, t, m: (l.argmax(-1)[:, :-1] == t[:, 1:])[m[:, 1:].bool()].mean()
)


is_wrong("greedy_generate")(
    lambda m, p, n, prepend_bos=True: with_lists_of_ids(m, p.lstrip(), n, prepend_bos)
)


is_wrong("greedy_generate", named=SOME_MISSING)(
    lambda m, p, n, prepend_bos=True: with_lists_of_ids(m, p.replace("\r\n", "\n"), n, prepend_bos)
)


is_wrong("greedy_generate")(
    lambda m, p, n, prepend_bos=True: (
        with_lists_of_ids(m, p, n, prepend_bos) if p else torch.zeros(1, 0, dtype=torch.int64)
    )
)


is_wrong("generate_until", named="id_0_taken_for_none")(
    lambda m, t, n, eos_token_id=BOS: while_true(m, t, n, eos_token_id or BOS)
)


is_wrong("generate_until", named=SOME_MISSING)(
    lambda m, t, n, eos_token_id=BOS: (
        t if t.tolist() == [[BOS]] else while_true(m, t, n, eos_token_id)
    )
)


is_wrong("generate_batch", named="id_0_taken_for_none")(
    lambda m, t, n, eos_token_id=BOS: with_a_mask(m, t, n, eos_token_id or BOS)
)


is_wrong("generate_batch", named="filled_up_with_zeros")(
    lambda m, t, n, eos_token_id=BOS: torch.nn.utils.rnn.pad_sequence(
        [
            row[: t.shape[1] + 1 + row[t.shape[1] :].tolist().index(eos_token_id)]
            if eos_token_id in row[t.shape[1] :].tolist()
            else row
            for row in with_a_mask(m, t, n, eos_token_id)
        ],
        batch_first=True,
    )
)
