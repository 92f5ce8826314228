"""A picture: it shows itself, is printed, or saved."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import torch

from grader.desk.pictures.call import NothingToShow
from grader.desk.pictures.markup import page
from grader.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = Path("pictures")
WITHOUT_MATPLOTLIB = "Charts need matplotlib: pip install matplotlib"
P = ParamSpec("P")


class NoCharts(Problem):
    """Matplotlib is not installed."""


@dataclass
class Picture:
    """Shows itself: as HTML or a chart in a notebook, as text elsewhere."""

    name: str
    text: str
    html: str = ""
    chart: Callable[[Axes], None] | None = None
    size: tuple[float, float] = (7, 4)  # of the chart, in inches

    def __repr__(self) -> str:
        missing = self.chart is not None and not _has_matplotlib() and _is_notebook()
        return f"{self.text}\n{WITHOUT_MATPLOTLIB}" if missing else self.text

    def _repr_html_(self) -> str | None:
        return self.html or None

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        if self.chart is None or not _has_matplotlib():
            return None
        inches = self.size[0]
        return self.png(), {"width": round(inches * 100)}

    def figure(self) -> Figure:
        """The chart, for Matplotlib. Raises `NoCharts`."""
        if not _has_matplotlib():
            raise NoCharts(WITHOUT_MATPLOTLIB)
        import matplotlib.style
        from matplotlib.figure import Figure

        assert self.chart is not None
        with matplotlib.style.context("default"):  # whatever has been set in this notebook
            figure = Figure(figsize=self.size, layout="constrained")
            axes = figure.add_subplot()
            axes.spines[["top", "right"]].set_visible(False)
            self.chart(axes)
        return figure

    def png(self) -> bytes:
        """The same bytes each time. Raises `NoCharts`."""
        file = io.BytesIO()
        self.figure().savefig(file, format="png", dpi=200, metadata={"Software": None})
        return file.getvalue()

    def save(self, folder: Path = FOLDER, stem: str = "") -> Path | None:
        """As a PNG or HTML file. Returns which, None where there is text only.

        Raises:
            OSError: it cannot be written.
            NoCharts: matplotlib is not installed.
        """
        if self.chart is not None:
            content, ending = self.png(), "png"
        elif self.html:
            content, ending = page(self.name, self.html).encode("utf-8", "replace"), "html"
        else:
            return None
        folder.mkdir(exist_ok=True)
        path = folder / f"{stem or self.name}.{ending}"
        path.write_bytes(content)
        return path


def shows_itself(make: Callable[P, Picture]) -> Callable[P, Picture]:
    """Decorator: says why where there is nothing to show, and shows the rest."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> Picture:
        try:
            with torch.no_grad():
                picture = make(*args, **kwargs)
        except NothingToShow as why:
            picture = Picture(make.__name__, f"No {make.__name__} to show yet: {why}")
        if not _is_notebook() and not hasattr(sys, "ps1"):  # nobody else will show it
            _print(picture)
        return picture

    return made


# --- Where it is shown ---------------------------------------------------------------------------

_saved: dict[str, int] = {}  # how often, by this script


def _print(picture: Picture) -> None:
    print(picture.text)
    script = Path(sys.argv[0]).stem
    stem = f"{script}_{picture.name}" if script.isidentifier() else picture.name
    number = _saved.get(stem, 0) + 1
    try:
        path = picture.save(stem=f"{stem}_{number}" if number > 1 else stem)
    except NoCharts as problem:
        print(problem)
    except OSError as error:
        print(f"It cannot be saved: {error}")
    else:
        if path is not None:
            _saved[stem] = number
            print(f"Saved as {path}.")
    print()


def _is_notebook() -> bool:
    """Or IPython's prompt."""
    if "IPython" not in sys.modules:
        return False
    from IPython import get_ipython

    return get_ipython() is not None


def _has_matplotlib() -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True
