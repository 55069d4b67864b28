"""Runs of several seeds side by side: numbers by hand, and settings that do not belong together."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml
from rich.console import Console

from analysis.seeds import compare_seeds
from analysis.tables.seeds import format_seeds_table
from evoplastic.checks import UsageError
from tests.analysis.runs import entry, evaluation, start, write_run


def _write(path: Path, seed: int, held_out: tuple[float, ...], setting: str = "") -> Path:
    first = evaluation(0, entry("dms", "held_out", (0.5, 0.5)), entry("and", "train", (0.5,)))
    last = evaluation(
        9,
        entry("dms", "held_out", held_out),
        entry("dms", "held_out", (0.4, 0.6), "plasticity_off"),
        entry("and", "train", (0.9,)),
    )
    write_run(path, [start(seed, f"run-{seed}"), first, last])
    if setting:
        config = path / "config.resolved.yaml"
        config.write_text(
            yaml.safe_dump(yaml.safe_load(config.read_text()) | yaml.safe_load(setting))
        )
    return path


def test_means_of_seeds_are_averaged_and_spread_from_lowest_to_highest(tmp_path: Path) -> None:
    refs = [_write(tmp_path / "a", 1, (0.6, 0.8)), _write(tmp_path / "b", 2, (0.9, 1.0))]
    report = compare_seeds(refs, tmp_path / "out")
    row = report.table[
        (report.table["task"] == "dms") & (report.table["condition"] == "plastic")
    ].iloc[0]
    assert row["seeds"] == 2
    assert (row["low"], row["mean"], row["high"]) == pytest.approx((0.7, 0.825, 0.95))
    assert row["above_fixed_policy"] == pytest.approx(0.75)  # 0.6 is below the level 0.625
    console = Console(width=120)
    with console.capture() as shown:
        console.print(format_seeds_table(report))
    assert "82 (70-95)" in shown.get()
    assert "50 (50-50)" in shown.get()
    names = {file.name for file in report.files}
    assert {"final_table_across_seeds.csv", "accuracy_across_seeds.png"} <= names
    written = pd.read_csv(tmp_path / "out" / "final_table_across_seeds.csv", comment="#")
    assert len(written) == len(report.table)


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("search: {name: es, sigma: 0.1}\n", "sigma of their search"),
        ("evolution: {sigma: 0.1}\n", "sigma of their search"),
        ("genome: {init_alpha: 0.1}\n", "init_alpha of their search"),
        ("curriculum: {name: uniform}\n", "curriculum of their search"),
        ("evolution: {alternate_halves: false}\n", "curriculum of their search"),
        ("rule: {eta: 0.1}\n", "rule.eta of their lifetime"),
        ("rule: {name: node_perturbation_network}\n", "rule.name of their lifetime"),
    ],
)
def test_runs_of_different_settings_are_refused(tmp_path: Path, setting: str, what: str) -> None:
    refs = [_write(tmp_path / "a", 1, (0.6,)), _write(tmp_path / "b", 2, (0.9,), setting)]
    with pytest.raises(UsageError, match=f"differ in {what}"):
        compare_seeds(refs, tmp_path / "out")


def test_a_run_with_the_keys_of_old_is_of_one_setting_with_a_new_one(tmp_path: Path) -> None:
    lines = "lifetime: {num_trials: 30, scored_trials: 10%s}\n"
    old = lines % ", plasticity: {modulation: internal, eta: 0.1}" + (
        "evolution: {generations: 9, popsize: 8, init_gain: 1.5, alternate_halves: false}\n"
    )
    new = lines % "" + (
        "rule: {name: node_perturbation_network, eta: 0.1}\n"
        "evolution: {generations: 7}\nsearch: {name: es, popsize: 8}\n"
        "genome: {init_gain: 1.5}\ncurriculum: {name: uniform}\n"
    )
    refs = [_write(tmp_path / "a", 1, (0.6,), old), _write(tmp_path / "b", 2, (0.9,), new)]
    assert len(compare_seeds(refs, tmp_path / "out").runs) == 2


def test_one_seed_twice_and_a_single_run_are_refused(tmp_path: Path) -> None:
    refs = [_write(tmp_path / "a", 1, (0.6,)), _write(tmp_path / "b", 1, (0.9,))]
    with pytest.raises(UsageError, match="each seed may enter once"):
        compare_seeds(refs, tmp_path / "out")
    with pytest.raises(UsageError, match="at least two"):
        compare_seeds(refs[:1], tmp_path / "out")
