"""What holds for every test: nothing of the user's own is touched."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Trust that tests grant stays with them, in processes that they start too."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))
