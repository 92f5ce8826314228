"""Pictures of what a reader's functions do."""

import importlib.util
import re
import sys
import warnings
from pathlib import Path

import pytest
import torch

from grader import lessons
from grader.desk import pictures
from grader.desk.pictures import picture as module
from grader.desk.pictures.labels import visible
from grader.desk.pictures.picture import NoCharts, Picture
from grader.lessons import KIT as ROOT
from grader.verdict import load
from markup import Tags

TEXT = "In the beginning God created $x_1$ é 🙂 日."
HOSTILE = "<script>alert(1)</script>&\"'\n\t\u200b\u202e\x1b[31m"
needs_matplotlib = pytest.mark.skipif(
    importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed"
)

# What each takes of the lessons, then of the fixtures, then what it shows.
ALL = {
    "tokens": (["token_spans"], ["tokenizer"], TEXT),
    "similarities": (["embed_by_lookup"], ["reference", "tokenizer"], TEXT),
    "next_token": (["next_token_probs"], ["reference", "tokenizer"], TEXT),
    "losses": (["target_log_probs"], ["reference", "tokenizer"], TEXT),
    "top_predictions": (["prefix_predictions", "softmax"], ["reference", "tokenizer"], TEXT),
    "expected_tokens": (["predicted_pairs"], ["reference"], TEXT),
    "continuation": (["greedy_generate"], ["reference", "tokenizer"], TEXT),
}
CHARTS = ["similarities", "next_token", "losses"]
each = pytest.mark.parametrize("name", ALL)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where pictures are saved; by a script of this name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lesson9_art.py"])
    monkeypatch.setattr(module, "_saved", {})
    monkeypatch.setattr(module, "_is_notebook", lambda: False)
    monkeypatch.delattr(sys, "ps1", raising=False)  # an IPython in this process sets it
    return tmp_path / "pictures"


@pytest.fixture
def draw(fixtures):
    """draw(name, functions, text) -> the picture; of the solutions, if no functions are given."""

    def draw(name, functions=None, text=None):
        wanted, needs, shown = ALL[name]
        live = [fixtures(need) for need in needs]
        functions = functions or [solved(function) for function in wanted]
        return getattr(pictures, name)(*functions, *live, shown if text is None else text)

    return draw


def solved(name):
    solutions = [load.solution(lesson) for lesson in lessons.names()]
    return next(getattr(solution, name) for solution in solutions if hasattr(solution, name))


# --- Of right answers ----------------------------------------------------------------------------


@each
def test_a_solved_function_is_drawn_and_saved_and_where_is_said(draw, folder, capsys, name):
    if name in CHARTS:
        pytest.importorskip("matplotlib")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that is missing, say
        picture = draw(name)
    ending = "png" if name in CHARTS else "html"
    path = folder / f"lesson9_art_{name}.{ending}"
    said = capsys.readouterr().out
    assert said.startswith(f"{picture!r}\n")
    assert f"Saved as {Path('pictures', path.name)}." in said
    assert path.stat().st_size > 1000


@each
def test_it_is_the_same_each_time(draw, folder, name):
    first, second = draw(name), draw(name)
    assert (repr(first), first._repr_html_()) == (repr(second), second._repr_html_())
    for path in folder.glob("*_2.*"):
        assert path.read_bytes() == Path(str(path).replace("_2.", ".")).read_bytes()


@each
def test_hostile_text_is_text(draw, name):
    picture = draw(name, text=HOSTILE)
    assert "\x1b" not in repr(picture)
    assert "\u202e" not in repr(picture)
    if html := picture._repr_html_():
        page = Tags(html)
        assert page.tags <= {"div", "p", "b", "span", "bdi", "small", "table", "tr", "th", "td",
                             "br"}  # fmt: skip
        assert page.attributes <= {"style", "scope"}
        assert "url(" not in html
        assert "\u202e" not in page.text
    else:
        assert name in CHARTS


def test_tokens_are_shown_with_their_offsets_and_half_characters_as_bytes(draw):
    picture = draw("tokens", text="é 42\n🤗")
    assert repr(picture).split("\n") == [
        "6 tokens, 10 bytes",
        "      0:2  é",
        "      2:5  Ġ42",
        "      5:6  Ċ",
        "      6:8  \\xf0\\x9f",
        "      8:9  \\xa4",
        "     9:10  \\x97",
    ]
    shown = Tags(picture._repr_html_()).text
    assert "Ġ42" in shown
    assert "2:5" in shown
    assert "\\xf0\\x9f" in shown


def test_what_is_drawn_is_the_readers_own(draw):
    shouting = [(b"ALL", 0, 3)]
    assert "0:3  ALL" in repr(draw("tokens", [lambda tokenizer, text: shouting]))


def test_the_loss_is_that_of_the_model(draw, fixtures):
    text = "In the beginning God created"
    loss = fixtures.reference(text, return_type="loss").item()  # puts a BOS in front
    assert f"mean {loss:.2f} nats, perplexity " in repr(draw("losses", text=text))


def test_the_most_probable_token_is_on_top(draw, fixtures):
    text = "In the beginning"
    best = fixtures.reference(text)[0, -1].argmax()
    label = visible(fixtures.tokenizer.decode([best]))
    first = repr(draw("next_token", text=text)).split("\n")[1]
    assert first.split()[0] == label


def test_the_token_that_came_is_marked_in_words_too(draw):
    picture = draw("top_predictions", text="In the beginning of the")
    assert "*Ġthe" in repr(picture)
    assert "✓" in picture._repr_html_()
    assert "* the token that came" in repr(picture)
    assert "Framed and with a ✓: the token that came." in picture._repr_html_()


@pytest.mark.parametrize(
    ("token", "shown"),
    [
        (" the", "Ġthe"),
        ("\n\t\r", "Ċĉč"),
        (b"\xf0\x9f", "\\xf0\\x9f"),
        (b" \xe6", "Ġ\\xe6"),
        ("\u200b\u202e\x00", "\\u200b\\u202e\\x00"),
        ("naïve日", "naïve日"),
        ("\ud800", "\\ud800"),
    ],
)
def test_nothing_in_a_token_is_invisible(token, shown):
    assert visible(token) == shown


# --- Of others -----------------------------------------------------------------------------------


def todo(*args):
    raise NotImplementedError


def fails(*args):
    raise ValueError("line one\n" * 1000)


@each
def test_a_stub_is_named_as_what_to_do_first(draw, folder, capsys, name):
    stub = ALL[name][0][0]

    def function(*args):
        raise NotImplementedError

    function.__code__ = function.__code__.replace(co_name=stub)
    others = [solved(other) for other in ALL[name][0][1:]]
    said = f"No {name} to show yet: do the exercise {stub} first."
    assert repr(draw(name, [function, *others])) == said
    assert capsys.readouterr().out.strip() == said
    assert not folder.exists()


def test_a_stub_that_is_called_by_another_is_the_one_named(draw):
    def token_spans(tokenizer, text):
        return todo()

    assert "do the exercise todo first" in repr(draw("tokens", [token_spans]))


@each
def test_one_that_raises_is_one_line(draw, name):
    others = [solved(other) for other in ALL[name][0][1:]]
    said = repr(draw(name, [fails, *others]))
    assert said == (
        f"No {name} to show yet: fails raised ValueError: line one. "
        "pytest exercises -k fails shows where, and check(fails) in a notebook."
    )


@each
@pytest.mark.parametrize(
    ("result", "what"),
    [
        (None, "a NoneType"),
        (torch.zeros(7, 7, 7), "a tensor of shape (7, 7, 7)"),
        ([1, 2], "a list"),
        ([(b"x", 0)], "a list"),
    ],
)
def test_one_that_returns_something_else_is_one_line(draw, name, result, what):
    def function(*args):
        return result

    others = [solved(other) for other in ALL[name][0][1:]]
    said = repr(draw(name, [function, *others]))
    assert said.startswith(f"No {name} to show yet: function returned {what}, not a ")
    assert "\n" not in said


def test_not_a_number_is_one_line(draw):
    said = repr(draw("losses", [lambda logits, tokens: logits[:, 1:, 0] * float("nan")]))
    assert "returned NaN" in said


def test_an_infinite_loss_is_drawn(draw):
    def target_log_probs(logits, tokens):
        return solved("target_log_probs")(logits, tokens).index_fill(1, torch.tensor([1]), -1e9)

    assert "perplexity infinite" in repr(draw("losses", [target_log_probs]))


def test_an_empty_text_is_one_line(draw):
    assert repr(draw("losses", text="")) == "No losses to show yet: the text is empty."


# --- Where it is shown ---------------------------------------------------------------------------


@pytest.fixture
def without_matplotlib(monkeypatch):
    monkeypatch.setattr(module, "_has_matplotlib", lambda: False)


def test_without_matplotlib_a_script_prints_the_text_and_how_to_get_it(
    draw, without_matplotlib, capsys, folder
):
    picture = draw("next_token")
    assert "Charts need matplotlib: pip install matplotlib" in capsys.readouterr().out
    assert not list(folder.glob("*"))
    with pytest.raises(NoCharts, match="pip install matplotlib"):
        picture.png()


def test_without_matplotlib_a_notebook_shows_the_text_and_how_to_get_it(
    draw, without_matplotlib, monkeypatch, capsys
):
    monkeypatch.setattr(module, "_is_notebook", lambda: True)
    picture = draw("next_token")
    assert capsys.readouterr().out == ""
    assert picture._repr_png_() is None
    assert picture._repr_html_() is None
    assert repr(picture).endswith("\nCharts need matplotlib: pip install matplotlib")


@needs_matplotlib
def test_a_notebook_shows_what_comes_back_and_saves_nothing(draw, monkeypatch, capsys, folder):
    monkeypatch.setattr(module, "_is_notebook", lambda: True)
    png, metadata = draw("losses")._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert metadata["width"] > 300
    assert capsys.readouterr().out == ""
    assert not folder.exists()


@needs_matplotlib
def test_a_notebooks_own_style_changes_nothing(draw, monkeypatch):
    import matplotlib

    plain = draw("next_token").png()
    with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 20}):
        assert draw("next_token").png() == plain


def test_what_cannot_be_saved_is_said(draw, folder, capsys):
    folder.write_text("a file in its place")
    draw("tokens")
    assert "It cannot be saved: " in capsys.readouterr().out


def test_a_page_takes_light_and_dark_from_where_it_is_read(tmp_path):
    path = Picture("art", "", "<b>x</b>").save(tmp_path / "here")
    assert '<meta name="color-scheme" content="light dark">' in path.read_text()


@pytest.mark.parametrize("lesson", lessons.names()[:4])
def test_a_lesson_ends_with_the_same_pictures_solved_or_not(lesson):
    parts = [
        (ROOT / folder / f"{lesson}.py").read_text().partition('\nif __name__ == "__main__":\n')
        for folder in ("exercises", "solutions")
    ]
    assert parts[0][2] == parts[1][2]
    assert re.search(r"^    pictures\.\w+\(", parts[0][2], re.MULTILINE)
    assert f"`python exercises/{lesson}.py`" in parts[0][0]
