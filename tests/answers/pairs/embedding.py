"""Answers to lesson 2 that make two mistakes at once."""

import torch
from einops import einsum
from torch import nn
from torch.nn import functional as F

from answers.pairs import pair

# --- one_hot -------------------------------------------------------------------------------------


@pair("one_hot", "integers", "one_dimension_only")
def ones_written_into_long_zeros(tokens, d_vocab):
    n = len(tokens)
    out = torch.zeros((n, d_vocab), dtype=tokens.dtype, device=tokens.device)
    out[torch.arange(n), tokens] = 1
    return out


@pair("one_hot", "float64", "as_long_as_the_largest_id")
def double_of_the_largest_id(tokens, d_vocab):
    return F.one_hot(tokens).double()


@pair("one_hot", "float64", "batch_flattened")
def rows_of_a_double_eye(tokens, d_vocab):
    eye = torch.eye(d_vocab, device=tokens.device).double()
    return eye[tokens.reshape(-1)]


@pair("one_hot", "float64", "vocabulary_first")
def double_ids_against_tokens(tokens, d_vocab):
    one = torch.stack([tokens == i for i in range(d_vocab)])
    return one.to(torch.float64)


@pair("one_hot", "float64", "one_bag_for_the_sequence")
def scattered_into_doubles(tokens, d_vocab):
    out = torch.zeros((*tokens.shape[:-1], d_vocab), dtype=torch.double, device=tokens.device)
    out.scatter_(-1, tokens, 1)
    return out


@pair("one_hot", "one_dimension_only", "as_long_as_the_largest_id")
def as_many_columns_as_the_largest(tokens, d_vocab):
    n = len(tokens)
    out = torch.zeros(n, int(tokens.max()) + 1, device=tokens.device)
    out[range(n), tokens] = 1
    return out


@pair("one_hot", "one_dimension_only", "vocabulary_first")
def column_per_token(tokens, d_vocab):
    n = len(tokens)
    out = torch.zeros(d_vocab, n, device=tokens.device)
    out[tokens, torch.arange(n, device=tokens.device)] = 1.0
    return out


# --- embed_by_matmul -----------------------------------------------------------------------------


@pair("embed_by_matmul", "squeezed", "float32_one_hot")
def float_product_squeezed(tokens, W_E):
    hot = (tokens.unsqueeze(-1) == torch.arange(len(W_E), device=tokens.device)).float()
    return torch.squeeze(hot @ W_E)


@pair("embed_by_matmul", "squeezed", "everything_in_float32")
def float_and_squeezed(tokens, W_E):
    hot = F.one_hot(tokens, num_classes=W_E.size(0)).to(torch.float32)
    return torch.matmul(hot, W_E.to(torch.float32)).squeeze()


@pair("embed_by_matmul", "summed_over_positions", "float32_one_hot")
def float_einsum_without_seq(tokens, W_E):
    hot = F.one_hot(tokens, W_E.shape[0]).float()
    return einsum(hot, W_E, "b s v, v d -> b d")


@pair("embed_by_matmul", "summed_over_positions", "everything_in_float32")
def float_einsum_over_seq(tokens, W_E):
    hot = F.one_hot(tokens, W_E.shape[0]).float()
    return torch.einsum("bsv,vd->bd", hot, W_E.float())


@pair("embed_by_matmul", "summed_over_positions", "as_long_as_the_largest_id")
def guessed_classes_summed(tokens, W_E):
    counts = F.one_hot(tokens).sum(dim=1)
    return counts.to(W_E.dtype) @ W_E


# --- embed_by_lookup -----------------------------------------------------------------------------


@pair("embed_by_lookup", "frozen", "one_dimension_only")
def selected_from_data(tokens, W_E):
    return W_E.data.index_select(0, tokens)


@pair("embed_by_lookup", "frozen", "batch_flattened")
def flat_and_detached(tokens, W_E):
    table = W_E.detach()
    return table[tokens.reshape(-1)]


@pair("embed_by_lookup", "frozen", "no_token_by_itself")
def frozen_embedding_of_each(tokens, W_E):
    emb = nn.Embedding.from_pretrained(W_E, freeze=True)
    return torch.stack([emb(t) for t in tokens])


@pair("embed_by_lookup", "a_parameter_of_its_own", "batch_flattened")
def parameter_at_a_flat_index(tokens, W_E):
    weight = nn.Parameter(W_E)
    return F.embedding(tokens.view(-1), weight)


@pair("embed_by_lookup", "a_parameter_of_its_own", "one_dimension_only")
def selected_from_a_parameter(tokens, W_E):
    weight = nn.Parameter(W_E.clone())
    return torch.index_select(weight, dim=0, index=tokens)


@pair("embed_by_lookup", "token_0_as_padding", "batch_flattened")
def padding_0_and_flat(tokens, W_E):
    return F.embedding(tokens.flatten(), W_E, padding_idx=0)


@pair("embed_by_lookup", "token_0_as_padding", "no_token_by_itself")
def padding_0_one_by_one(tokens, W_E):
    rows = []
    for t in tokens:
        rows.append(F.embedding(t, W_E, padding_idx=0))
    return torch.stack(rows)


# --- embed_with_positions ------------------------------------------------------------------------


@pair("embed_with_positions", "scaled", "all_of_W_pos")
def scaled_and_the_whole_table(tokens, W_E, W_pos):
    x = W_E[tokens] * (W_E.shape[-1] ** 0.5)
    return x + W_pos


@pair("embed_with_positions", "scaled", "batch_taken_for_sequence")
def scaled_and_len_of_tokens(tokens, W_E, W_pos):
    x = F.embedding(tokens, W_E) * W_E.size(1) ** 0.5
    return x + W_pos[: tokens.size(0)]


@pair("embed_with_positions", "concatenated", "all_of_W_pos")
def the_whole_table_beside(tokens, W_E, W_pos):
    pos = W_pos.unsqueeze(0).repeat(tokens.shape[0], 1, 1)
    return torch.cat((W_E[tokens], pos), dim=2)


@pair("embed_with_positions", "concatenated", "batch_taken_for_sequence")
def as_many_rows_beside_as_sequences(tokens, W_E, W_pos):
    pos = W_pos[: tokens.shape[0]].expand(*tokens.shape, W_pos.shape[1])
    return torch.cat((W_E[tokens], pos), dim=-1)
