"""Other kits than this one: copies, and what is handed out."""

import os
import subprocess
import sys


def run_in(kit, code, *arguments):
    """Python code, as in an environment that has that kit installed, and not this one."""
    blocked = "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]"
    code = f"{blocked}; sys.path.insert(0, {str(kit)!r}); {code}"
    return subprocess.run(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-s", "-c", code, *arguments],
        cwd=kit, capture_output=True, text=True, timeout=900,
        env={**os.environ, "COLUMNS": "100", "PYTEST_ADDOPTS": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
