import os

import pytest


@pytest.fixture
def ada_is_closed(monkeypatch):
    """No folder named ada can be opened. A mode would not say so to root, who runs CI."""
    scandir = os.scandir

    def closed(path):
        if str(path).endswith("ada"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
