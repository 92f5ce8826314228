"""A lesson's prose, as it stands in a docstring, as markdown: headings, code, mathematics.

What the prose may hold is what the lessons are written in: titles underlined with `---`, lists,
`code`, blocks that stand alone, indented. Of these blocks, Python is code, and a formula is
mathematics, as `x_(n-1)`, `W_E` and `$t W_E$` are within a sentence. Formulas are written to be
read as they are, and turned into LaTeX here; what is LaTeX already stays as it is.
"""

from __future__ import annotations

import ast
import re
import textwrap
from itertools import pairwise

_UNDERLINED = re.compile(r"^(\S.*)\n[-=]{3,}[ \t]*$", re.MULTILINE)
# What is not prose: fenced and inline code, mathematics.
_APART = re.compile(r"(^```.*?^```|`[^`]*`|\$\$.*?\$\$|\$[^$\n]+\$)", re.DOTALL | re.MULTILINE)
_VARIABLE = re.compile(r"(?<![\w.])[A-Za-z]_(?:\w+|\([\w+-]+\))(?![\w(])")
_LIST = re.compile(r"[-*+] |\d+[.)] ")

_FORMULA = re.compile(r"[\w^()|+\-*/=,.<> ]+")
_TOKEN = re.compile(r"\.\.\.|[A-Za-z]+|\d+|<=|>=|->|.", re.DOTALL)
_KNOWN = {"exp", "log", "sum", "max", "min", "cos", "sin", "tanh", "prod", "det"}
_SIGNS = {"...": r"\dots", "|": r"\mid", "*": r"\cdot", "<=": r"\le", ">=": r"\ge", "->": r"\to"}


def sections(text: str) -> list[str]:
    """The text cut before each underlined title; what comes before the first one is the first.
    Joined they are the text."""
    titles = (found.start() for found in _UNDERLINED.finditer(text))
    cuts = [0, *(at for at in titles if text[:at].strip()), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


def heading(section: str) -> str:
    """A section's title, or nothing."""
    found = _UNDERLINED.match(section.lstrip("\n"))
    return found[1].strip() if found else ""


def markdown(section: str, is_first: bool = False) -> str:
    """`is_first`: its first line is the title of it all."""
    title, text = "", section.strip("\n")
    if found := _UNDERLINED.match(text):
        title, text = f"## {found[1].strip()}\n\n", text[found.end() :]
    elif is_first and (lines := text.split("\n"))[0].strip():
        title, text = f"# {lines[0].strip().removesuffix('.')}\n\n", "\n".join(lines[1:])
    body = "\n\n".join(_blocks(text.strip("\n")))
    return (title + body).strip("\n")


def _blocks(text: str) -> list[str]:
    if "```" in text:  # markdown as it is, blank lines within code and all
        return [_inline(text)]
    blocks, in_list = [], False
    for block in re.split(r"\n(?:[ \t]*\n)+", text):
        if not block.startswith("    "):
            in_list = _LIST.match(block) is not None
            blocks.append(_inline(block))
        elif in_list:  # a paragraph of its last entry
            blocks.append(_inline(block))
        else:
            blocks.append(_apart(textwrap.dedent(block)))
    return blocks


def _apart(block: str) -> str:
    """An indented block."""
    if block.startswith("$"):
        return block
    try:
        ast.parse(block)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    else:
        return f"```python\n{block}\n```"
    lines = block.split("\n")
    if all(_FORMULA.fullmatch(line) for line in lines) and re.search("[_=^]", block):
        return "\n\n".join(f"$$\n{latex(line)}\n$$" for line in lines)
    return f"```text\n{block}\n```"


def _inline(text: str) -> str:
    pieces = _APART.split(text)
    for i, piece in enumerate(pieces):
        if i % 2 == 0:
            pieces[i] = _VARIABLE.sub(lambda found: f"${latex(found[0])}$", piece)
        elif piece.startswith("$") and not piece.startswith("$$"):
            pieces[i] = f"${latex(piece[1:-1])}$"
    return "".join(pieces)


def latex(formula: str) -> str:
    """
    >>> latex("softmax(x)_i = exp(x_i) / sum_j exp(x_j)")
    '\\\\operatorname{softmax}(x)_{i} = \\\\frac{\\\\exp(x_{i})}{\\\\sum_{j} \\\\exp(x_{j})}'
    """
    if "\\" in formula or "{" in formula:
        return formula
    left, equals, right = formula.strip().rpartition(" = ")
    parts = right.split(" / ")
    if len(parts) == 2 and not re.search(r" [-+=,|] ", right):
        numerator, denominator = map(latex, parts)
        right = rf"\frac{{{numerator}}}{{{denominator}}}"
        return f"{latex(left)}{equals}{right}"
    made, tokens = "", _TOKEN.findall(formula.strip())
    while tokens:
        token = tokens.pop(0)
        if token in "_^" and tokens:
            made += f"{token}{{{_subscript(tokens)}}}"
        elif token.isalpha() and token.isascii() and len(token) > 1:
            made += f"\\{token}" if token in _KNOWN else rf"\operatorname{{{token}}}"
        else:
            made += _SIGNS.get(token, token)
    return made


def _subscript(tokens: list[str]) -> str:
    """What follows `_` or `^`: a word, or all that is in brackets. Takes it off `tokens`."""
    token = tokens.pop(0)
    if token != "(":
        while tokens and (tokens[0] == "_" or tokens[0].isalnum()):  # d_vocab_out
            token += tokens.pop(0)
        word = token.replace("_", r"\_")
        return rf"\text{{{word}}}" if len(token) > 1 and not token.isdigit() else token
    inner, depth = "", 1
    while tokens:
        token = tokens.pop(0)
        depth += (token == "(") - (token == ")")
        if not depth:
            break
        inner += token
    return latex(inner)
