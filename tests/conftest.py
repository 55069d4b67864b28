"""What holds for every test: nothing of the user's own is touched."""

from __future__ import annotations

import os
import signal

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Trust that tests grant stays with them, in processes that they start too."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


def pytest_configure() -> None:
    """Let an interrupt stop what the tests start.

    A shell that starts tests in the background has them ignore SIGINT, children inherit that, and a
    run leaves alone what it was told to ignore.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
