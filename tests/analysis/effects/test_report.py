"""`analyze --by`: numbers, files, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

import evoplastic as ep
from analysis.effects.groups import compared_groups
from analysis.effects.report import effects_table, pairs_by_seed
from analysis.tables.effects import format_effects
from evoplastic.__main__ import main
from evoplastic.checks import UsageError
from tests.analysis.effects.swept import sigma
from tests.analysis.runs import start, write_run

FIVE = {seed: 0.5 + seed / 20 for seed in range(1, 6)}


def test_the_verb_says_the_effect_its_p_and_the_bias_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sigma(tmp_path, 0.02, FIVE)
    sigma(tmp_path, 0.05, {seed: value + 0.1 for seed, value in FIVE.items()}, bias=-0.2)
    folders = [str(tmp_path / name) for name in ("sigma0.02", "sigma0.05")]
    out = tmp_path / "out"
    assert main(["analyze", *folders, "--by", "evolution.sigma", "--out", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    (effect,) = said["comparisons"]
    assert effect["difference"] == effect["low"] == effect["high"] == pytest.approx(0.1)
    assert (effect["paired"], effect["p"], effect["p_holm"]) == (True, 0.0625, 0.0625)
    assert said["settings"][1]["bias_size dms - dnms"] == pytest.approx(0.2)
    assert said["settings"][1]["scores"]["3"] == pytest.approx(0.75)
    stem = out / "effect_of_search.sigma"
    kinds = [f"{stem}{end}" for end in (".png", ".svg", ".pdf", ".csv", "_seeds.csv", ".json")]
    assert said["files"] == kinds
    assert Path(kinds[2]).read_bytes().startswith(b"%PDF")
    drawn = Path(kinds[1]).read_text()
    assert all(
        text in drawn
        for text in ("search.sigma", "0.05 - 0.02", "dms over dnms", "prefers one answer")
    )
    seeds = pd.read_csv(kinds[4])
    assert list(seeds["bias dms - dnms"]) == [0.0] * 5 + [-0.2] * 5
    assert json.loads(Path(kinds[5]).read_text())["comparisons"] == said["comparisons"]

    console = Console(width=120)
    with console.capture() as shown:
        console.print(format_effects(ep.compare(*folders, by="sigma")))
    told = " ".join(shown.get().split())
    assert "+10.0 to +10.0 0.062 0.062" in told
    assert "So few seeds cannot give a p below 0.062" in told
    assert "dms and dnms show the same and want opposite answers" in told


def test_python_compares_without_writing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sigma(tmp_path, 0.02, FIVE)
    sigma(tmp_path, 0.05, {seed: value + 0.1 for seed, value in FIVE.items()})
    folders = [tmp_path / name for name in ("sigma0.02", "sigma0.05")]
    before = sorted(tmp_path.rglob("*"))
    found = ep.compare(*folders, by="sigma", score="dms")
    assert found.effects["difference"].tolist() == pytest.approx([0.1])
    assert found.seeds["score"].tolist()[5:] == pytest.approx([v + 0.1 for v in FIVE.values()])
    assert sorted(tmp_path.rglob("*")) == before
    with pytest.raises(UsageError, match="confidence is 95, expected a share"):
        ep.compare(*folders, by="sigma", confidence=95)
    with pytest.raises(UsageError, match="by names no setting"):
        ep.compare(*folders, by=[])
    assert not caplog.messages
    begun = write_run(tmp_path / "begun", [start()])
    again = ep.compare(*folders, begun, by="sigma", score="dms")
    assert again.effects["difference"].tolist() == found.effects["difference"].tolist()
    assert caplog.messages == [f"left out: {begun} has evaluated no center yet"]


def test_options_of_a_comparison_want_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(tmp_path), "--score", "train"]) == 2
    assert "--score belongs to a comparison" in capsys.readouterr().err
    sigma(tmp_path, 0.02, FIVE)
    folder = str(tmp_path / "sigma0.02")
    assert main(["analyze", folder, "--by", "sigma", "--generation", "x"]) == 2
    assert "expected a generation" in capsys.readouterr().err


def test_seeds_pair_where_the_smaller_setting_has_none_of_its_own(tmp_path: Path) -> None:
    runs = (
        sigma(tmp_path, 0.1, FIVE)
        + sigma(tmp_path, 0.2, {1: 0.4, 2: 0.5, 5: 0.6})
        + sigma(tmp_path, 0.3, {4: 0.3, 5: 0.4, 6: 0.5})
    )
    compared = compared_groups(runs, ["sigma"])
    all_five, three, others = compared.groups
    assert pairs_by_seed(all_five, three)
    assert not pairs_by_seed(all_five, others)
    table = effects_table(compared, 0.95)
    assert list(table["seeds"]) == ["3", "5 + 3", "3 + 3"]
    mean = ((0.4 - 0.55) + (0.5 - 0.6) + (0.6 - 0.75)) / 3
    assert table["difference"][0] == pytest.approx(mean)
    assert table["p"].tolist() == pytest.approx([2 / 2**3, table["p"][1], table["p"][2]])
    assert (table["p_holm"] >= table["p"]).all()
