"""Draw docs/terminal.svg: what a wrong softmax is told.

    python docs/terminal.py
"""

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
# Nothing from elsewhere: no font is loaded.
FORMAT = """\
<svg viewBox="0 0 {terminal_width} {terminal_height}" xmlns="http://www.w3.org/2000/svg">
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
            [sys.executable, "-m", "pytest", "exercises", "-k", "large_logits and not log_softmax",
             "--answers", folder, "--color=yes", "--no-header", "-q"],
            cwd=here.parent, capture_output=True, text=True,
            env={**os.environ, "COLUMNS": str(COLUMNS), "CI": ""},
        ).stdout  # fmt: skip
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"))
    console.print(Text("$ pytest exercises -k softmax", "bold"))
    console.print(Text.from_ansi(said))
    console.save_svg(str(here / "terminal.svg"), code_format=FORMAT, title="")


if __name__ == "__main__":
    main()
