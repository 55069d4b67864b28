"""Every example runs at small size, from a folder of its own, and tells what it found."""

from __future__ import annotations

import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evoplastic.search.catalogue import SEARCHES

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ON_A_CLUSTER = "on_a_cluster"
TOLD = {
    "another_search": r"3 generations of best_half",
    "compare_settings": r"paired difference [+-]\d+\.\d%, standard error",
    "inside_a_lifetime": r"correct in the last 20 trials: +(8\d|9\d|100)%",
    "lesion": r"without the last ten hidden neurons: .* -\d+\.\d%",
    ON_A_CLUSTER: r"on workers: genome (\w{16})\nalone:      genome \1",
    "on_a_gpu": r"2 generations on [cg]pu in",
    "own_field": r"rule\S*: from 0\.0300 to between",
    "own_rule": r"2 generations of hebbian growth",
    "own_task": r"same +held_out +\d+\.\d% correct",
    "read_a_run": r"generation +4 +held-out .* from [0-9a-f]{8}",
    "state_machine": r"a network that never met it is paid 0\.\d\d",
}
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))


@pytest.fixture
def _same_searches_afterwards() -> Iterator[None]:
    before = dict(SEARCHES)
    yield
    SEARCHES.clear()
    SEARCHES.update(before)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.cluster if name == ON_A_CLUSTER else [])
        for name in NAMES
    ],
)
@pytest.mark.usefixtures("_same_searches_afterwards")
def test_it_runs(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = EXAMPLES / f"{name}.py"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(path), "--small"])
    monkeypatch.setattr(sys, "path", [str(EXAMPLES), *sys.path])  # as Python does
    runpy.run_path(str(path), run_name="__main__")
    assert re.search(TOLD[name], capsys.readouterr().out)


def test_each_is_short_and_listed() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert len(NAMES) >= 10
    for name in NAMES:
        text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
        assert f"({name}.py)" in listed
        assert text.startswith('"""')
        assert len(text.splitlines()) <= 90, f"{name} is no short script any more"
