"""What lasts is shown, and nothing else."""

from __future__ import annotations

import threading

import pytest

from evoplastic.watching import at, watched


class Heard:
    """A stderr that tells when something was written."""

    def __init__(self) -> None:
        self.text, self.written = "", threading.Event()

    def write(self, text: str) -> int:
        """Keep it."""
        self.text += text
        if text.strip():
            self.written.set()
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """A file."""
        return False


def test_what_lasts_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr("sys.stderr", heard)
    at("nobody watches")
    with watched("checking mine", patience_s=0.05):
        at("probing", 3, 32)
        with watched("something within"):
            assert heard.written.wait(30)
    assert heard.text.startswith("checking mine: probing, 3 of 32 (")


def test_what_is_quick_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with watched("checking mine", patience_s=60):
        at("probing", 3, 32)
    assert capsys.readouterr().err == ""
