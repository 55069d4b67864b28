"""Leave one family out: runs that hold out different tasks, as one table, figure and printout."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.patches import Rectangle

from analysis.families.report import write_families
from analysis.families.table import (
    FAMILY,
    families_table,
    is_leave_one_out,
    obstacle,
    tasks_in_order,
    training_table,
)
from analysis.figures.families import figure_families
from analysis.store import RunRecords, read_directory
from evoplastic.__main__ import main
from evoplastic.records.names import Role
from tests.analysis.runs import NUM_TRIALS, RAMP, SCORED_TRIALS, entry, evaluation, start, write_run

FAMILIES = {"reach": ("go", "anti"), "match": ("dms", "dnms")}
NAMES = [f"x.{name}" for names in FAMILIES.values() for name in names]


def write_one(path: Path, seed: int, held_out: str, level: float, suite: str | None = None) -> Path:
    """A run whose held-out tasks reach `level`, its training tasks 0.9."""
    entries = []
    for name in NAMES:
        role: Role = "held_out" if name[2:] in FAMILIES[held_out] else "train"
        scores = (level, level) if role == "held_out" else (0.9,)
        entries += [
            entry(name, role, scores, curve=RAMP),
            entry(name, role, (0.4,), "plasticity_off"),
        ]
    write_run(path, [start(seed, path.name), evaluation(4, *entries)])
    config = path / "config.resolved.yaml"
    suite = f"mine/{held_out}" if suite is None else suite
    config.write_text(
        yaml.safe_dump(yaml.safe_load(config.read_text()) | {"seed": seed, "suite": suite})
    )
    return path


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Two families, two seeds each."""
    levels = {"reach": (0.6, 0.8), "match": (0.5, 0.7)}
    return [
        write_one(tmp_path / f"{family}-{seed}", seed, family, level)
        for family, of_seeds in levels.items()
        for seed, level in enumerate(of_seeds, start=1)
    ]


@pytest.fixture
def runs(paths: list[Path]) -> list[RunRecords]:
    return [read_directory(path) for path in paths]


def test_each_task_stands_under_each_family_that_was_held_out(runs: list[RunRecords]) -> None:
    table = families_table(runs).set_index([FAMILY, "task"])
    assert list(table.index) == [(family, name) for family in FAMILIES for name in NAMES]
    unseen = table.loc[("reach", "x.go")]
    assert (unseen["role"], unseen["seeds"], unseen["lifetimes"]) == ("held_out", 2, 2)
    assert unseen["accuracy_last"] == pytest.approx(0.7)
    assert (unseen["accuracy_low"], unseen["accuracy_high"]) == (0.6, 0.8)
    assert unseen["accuracy_first"] == pytest.approx((SCORED_TRIALS - 1) / 2 / NUM_TRIALS)
    assert unseen["plasticity_off"] == 0.4
    assert unseen["above_fixed_policy"] == 0.5  # the policy has 0.625
    trained = table.loc[("match", "x.go")]
    assert (trained["role"], trained["accuracy_last"]) == ("train", 0.9)


def test_runs_that_hold_out_the_same_are_one_family_whatever_their_suite_says(
    paths: list[Path], tmp_path: Path
) -> None:
    default = read_directory(write_one(tmp_path / "c", 3, "reach", 0.7, suite="mine"))
    table = families_table([default, *map(read_directory, paths)])
    assert list(dict.fromkeys(table[FAMILY])) == ["reach", "match"]
    assert table.set_index([FAMILY, "task"]).loc[("reach", "x.go"), "seeds"] == 3
    again = replace(default, config=default.config | {"seed": 1}, start=start(1, "again"))
    reason = obstacle([again, *map(read_directory, paths)])
    assert reason == "seed 1 is there twice with reach held out"


def test_what_a_run_that_goes_on_has_not_measured_is_missing(paths: list[Path]) -> None:
    run = read_directory(paths[0])
    plastic = [e for e in run.evaluations[-1].entries if e.condition == "plastic"]
    later = evaluation(8, *(replace(each, curve=None) for each in plastic))
    rows = families_table([replace(run, evaluations=(*run.evaluations, later))])
    assert set(rows["generation_high"]) == {8}
    assert rows[["accuracy_first", "plasticity_off"]].isna().all(axis=None)


def test_training_tasks_are_averaged_before_their_seeds_are_spread(
    runs: list[RunRecords],
) -> None:
    changed = []
    for run, levels in zip(runs[:2], ((0.9, 0.7), (0.5, 0.9)), strict=True):
        entries = [
            replace(each, accuracy=(levels[("dms", "dnms").index(each.task[2:])],))
            if each.role == "train" and each.condition == "plastic"
            else each
            for each in run.evaluations[-1].entries
        ]
        changed.append(replace(run, evaluations=(evaluation(4, *entries),)))
    row = training_table(changed).iloc[0]
    assert row["tasks"] == 2
    assert (row["accuracy_low"], row["accuracy_high"]) == (pytest.approx(0.7), pytest.approx(0.8))


def test_a_family_without_a_name_is_called_after_its_tasks(tmp_path: Path) -> None:
    named = write_one(tmp_path / "a", 1, "reach", 0.6, suite="mine")
    by_file = write_one(tmp_path / "b", 1, "match", 0.6, suite="/somewhere/mine.yaml")
    table = families_table([read_directory(named), read_directory(by_file)])
    assert list(dict.fromkeys(table[FAMILY])) == ["go, anti", "dms, dnms"]


def test_only_runs_that_hold_out_different_tasks_make_a_matrix(
    runs: list[RunRecords], tmp_path: Path
) -> None:
    assert is_leave_one_out(runs)
    assert not is_leave_one_out(runs[:2])
    assert write_families(runs[:2], tmp_path / "out") == []
    changed = runs[3].config | {"num_neurons": 99}
    assert not is_leave_one_out([*runs[:3], replace(runs[3], config=changed)])
    assert "num_neurons" in str(obstacle([*runs[:3], replace(runs[3], config=changed)]))
    other = write_run(
        tmp_path / "other", [start(1, "other"), evaluation(0, entry("or", "train", (1.0,)))]
    )
    assert not is_leave_one_out([*runs, read_directory(other)])
    assert "know different tasks" in str(obstacle([*runs, read_directory(other)]))


def test_the_figure_frames_what_was_never_seen(runs: list[RunRecords]) -> None:
    figure = figure_families(runs)
    matrix = figure.axes[0]
    corners = [patch.get_xy() for patch in matrix.patches if isinstance(patch, Rectangle)]
    framed = {(round(x + 0.47), round(y + 0.47)) for x, y in corners}
    assert framed == {(0, 0), (1, 0), (2, 1), (3, 1)}
    assert [label.get_text() for label in matrix.get_yticklabels()] == ["reach", "match"]
    assert [f"x.{label.get_text()}" for label in matrix.get_xticklabels()] == tasks_in_order(runs)
    cells = {text.get_text() for text in matrix.texts}
    assert cells == {"11\n70", "11\n60", "11\n90"}
    colour = np.asarray(matrix.images[0].get_array())
    assert np.allclose(colour[0], [0.7, 0.7, 0.9, 0.9])
    caption = figure.texts[0].get_text().replace("\n", " ")
    assert "2 seeds of each row" in caption
    assert "go 50, anti 50, dms 50, dnms 50" in caption


def test_analyze_prints_the_matrix_and_writes_it(
    paths: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["analyze", *map(str, paths), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Leave one family out" in printed
    assert "2 training tasks" in printed
    names = {path.name for path in out.iterdir()}
    assert {f"leave_one_family_out.{kind}" for kind in ("png", "svg", "csv")} <= names
    assert main(["analyze", *map(str, paths), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row[FAMILY] for row in told["families"]} == set(FAMILIES)
