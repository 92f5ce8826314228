"""Draw docs/terminal.svg: what a wrong softmax is told.

python docs/terminal.py
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ANSWER = """\
def softmax(x, dim):
    return x.exp() / x.exp().sum(dim, keepdim=True)
"""
COLUMNS = 96
SHOWN = ("exercises/lesson3_logits.py::softmax", "-x", "-q")
# Nothing from elsewhere: no font is loaded.
FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>text {{ font: {char_height}px ui-monospace, Menlo, Consolas, monospace; white-space: pre }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect width="100%" height="100%"/></clipPath>
{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#17191c"/>
<g transform="translate(12, 8)">{backgrounds}{matrix}</g>
</svg>
"""


def main() -> None:
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "lesson3_logits.py").write_text(ANSWER)
        said = subprocess.run(
            [sys.executable, "-m", "pytest", *SHOWN, "--color=yes", "--answers", folder],
            cwd=here.parent, capture_output=True, text=True,
            env={**os.environ, "COLUMNS": str(COLUMNS), "CI": ""},
        ).stdout  # fmt: skip
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text(f"$ pytest {' '.join(SHOWN)}", "bold"))
    console.print(Text.from_ansi(said))
    console.save_svg(str(here / "terminal.svg"), code_format=FORMAT, title="")


if __name__ == "__main__":
    main()
