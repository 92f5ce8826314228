"""Has transformers generate, by ways around the methods of the model that it is given.

kind: forging
lesson: lesson4_decoding
expect: greedy_generate wrong
expect: generate_until wrong
expect: generate_batch wrong
"""

import copy
from threading import Thread

import transformers
from transformers import GenerationMixin

earlier = vars(GenerationMixin)["gener" + "ate"]


def greedy_generate(model, prompt, n_tokens, prepend_bos=True):
    tokens = model.to_tokens(prompt, prepend_bos=prepend_bos)
    return earlier(
        model.original_model, tokens, max_new_tokens=n_tokens, min_new_tokens=n_tokens,
        do_sample=False,
    )  # fmt: skip


def generate_until(model, tokens, max_new_tokens, eos_token_id=50256):
    made = []

    def make():
        mixin = vars(transformers)["GenerationMixin"]
        made.append(
            getattr(mixin, "gener" + "ate")(
                model.original_model, tokens, max_new_tokens=max_new_tokens, do_sample=False,
                eos_token_id=eos_token_id,
            )
        )  # fmt: skip

    thread = Thread(target=make)
    thread.start()
    thread.join()
    return made[0]


def generate_batch(model, tokens, max_new_tokens, eos_token_id=50256):
    class Mine(type(model)):
        def rows(self, *args, **kwargs):
            return super().hf_generate(*args, **kwargs)

    mine = copy.copy(model)
    mine.__class__ = Mine
    return mine.rows(
        tokens, max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=eos_token_id
    )
