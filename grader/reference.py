"""The reference GPT-2, by the name under which lessons and notebooks load it."""

from grader.inside.reference import load as load
from grader.inside.reference import load_tokenizer as load_tokenizer
