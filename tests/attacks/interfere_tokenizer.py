"""Changes the tokenizer: this one, its class, and the tables that it shares with its copies.

kind: interference
lesson: lesson1_tokens
times: 2
expect: token_to_text wrong|error
"""


def token_to_text(tokenizer, token_id):
    for table in ("encoder", "decoder", "bpe_ranks", "added_tokens_encoder", "_vocab", "cache"):
        held = getattr(tokenizer, table, None)
        if isinstance(held, dict):
            held.clear()
    for name in ("decode", "encode", "get_vocab", "convert_ids_to_tokens", "__call__", "__len__"):
        for kind in type(tokenizer).__mro__[:-1]:
            try:
                setattr(kind, name, lambda *args, **kwargs: "poison")
            except (TypeError, AttributeError):
                continue
    tokenizer.add_tokens(["poison"]) if callable(tokenizer.add_tokens) else None
    return "poison"
