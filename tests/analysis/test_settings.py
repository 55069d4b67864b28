"""Runs of several settings: grouped by what decides, with seeds as replicates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from analysis.folders import is_folder_of_runs, open_all
from analysis.settings import compare_settings, group_by_setting
from analysis.store import read_directory
from analysis.tables.settings import format_settings_table
from evoplastic.__main__ import main
from evoplastic.checks import UsageError
from evoplastic.records.events import Event
from tests.analysis.runs import entry, evaluation, start, write_run


def _write(path: Path, seed: int, held_out: float, **sections: Any) -> Path:
    events: list[Event] = [
        replace(start(seed, f"run-{path.name}"), negations=(("dms", "dnms"),)),
        evaluation(0, entry("dms", "held_out", (0.5,)), entry("and", "train", (0.5,))),
        evaluation(
            9,
            entry("dms", "held_out", (held_out, held_out)),
            entry("dnms", "held_out", (held_out - 0.2,)),
            entry("dms", "held_out", (0.5,), "plasticity_off"),
            entry("and", "train", (0.9,)),
        ),
    ]
    write_run(path, events)
    config = path / "config.resolved.yaml"
    values = yaml.safe_load(config.read_text()) | {"seed": seed} | sections
    config.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two settings of sigma, two seeds each; held-out accuracy 0.7, 0.9 and 0.4, 0.6."""
    folder = tmp_path / "sweep"
    for sigma, levels in ((0.02, (0.7, 0.9)), (0.03, (0.4, 0.6))):
        for seed, level in enumerate(levels, start=1):
            search = {"name": "es", "sigma": sigma}
            _write(folder / f"seed{seed}-sigma{sigma}", seed, level, search=search)
    return folder


def test_seeds_are_replicates_of_a_setting(root: Path, tmp_path: Path) -> None:
    found = open_all([root])
    report = compare_settings(found.runs, tmp_path / "out", found.keys)
    assert [setting.name for setting in report.settings] == ["sigma=0.02", "sigma=0.03"]
    assert [[run.seed for run in setting.runs] for setting in report.settings] == [[1, 2], [1, 2]]
    summary = report.summary.set_index(["setting", "role", "condition"])
    first = summary.loc[("sigma=0.02", "held_out", "plastic")]
    means = [(0.7 + 0.5) / 2, (0.9 + 0.7) / 2]  # over the two tasks, of each seed
    assert first["accuracy_mean"] == pytest.approx(sum(means) / 2)
    assert (first["accuracy_low"], first["accuracy_high"]) == pytest.approx(tuple(means))
    assert first["accuracy_std"] == pytest.approx((means[1] - means[0]) / 2**0.5)
    assert first["search.sigma"] == 0.02
    assert first["bias_mean"] == pytest.approx(0.1)  # half of what dms and dnms differ by
    table = report.table
    dms = table[(table["task"] == "dms") & (table["condition"] == "plastic")]
    assert list(dms["mean"]) == pytest.approx([0.8, 0.5])
    assert list(dms["seeds"]) == [2, 2]
    console = Console(width=120)
    with console.capture() as shown:
        console.print(format_settings_table(report.summary))
    assert "70 (60-80)" in shown.get()
    assert "40 (30-50)" in shown.get()
    assert "|bias|" in shown.get()


def test_bias_and_ability_are_told_under_tables_of_runs_and_of_seeds(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (str(root / f"seed{seed}-sigma0.02") for seed in (1, 2))
    out = ["--out", str(root / "out"), "--no-mlflow"]
    for refs, said in (
        ([one], "dms and dnms: ability 60 %, bias +10 %."),
        ([one, other], "dms and dnms: ability 70 %, bias 10 % (its size, mean over seeds)."),
    ):
        assert main(["analyze", *refs, *out]) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert "show the same and want opposite answers" in told
        assert said in told


def test_a_folder_of_runs_is_analyzed_from_the_command_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [setting["values"] for setting in said["settings"]] == [
        {"search.sigma": 0.02},
        {"search.sigma": 0.03},
    ]
    assert (root / "figures" / "summary_by_setting.csv").is_file()
    assert main(["analyze", *(str(root / f"seed{n}-sigma0.02") for n in (1, 2)), "--json",
                 "--out", str(root / "figures")]) == 0  # fmt: skip
    assert "run_ids" in json.loads(capsys.readouterr().out), "one setting: the spread over seeds"


def test_a_run_without_a_number_is_left_out_by_name(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(root / "begun", [start(7, "begun")])
    assert main(["analyze", str(root)]) == 0
    told = capsys.readouterr()
    assert "left out: " in told.err
    assert "begun has evaluated no center yet" in told.err
    assert "sigma" in told.out
    named = [str(root / name) for name in ("begun", "seed1-sigma0.02", "seed2-sigma0.02")]
    assert main(["analyze", *named, "--out", str(root / "figures")]) == 0
    told = capsys.readouterr()
    assert "begun has evaluated no center yet" in told.err
    assert "seeds 1, 2" in told.out


def test_keys_that_follow_from_a_name_make_no_name_longer(tmp_path: Path) -> None:
    rules = ({"name": "oja", "eta": 0.1}, {"name": "hebb", "eta": 0.2, "decay": 0.5})
    paths = [_write(tmp_path / str(rule["name"]), 1, 0.7, rule=rule) for rule in rules]
    settings = group_by_setting([read_directory(path) for path in paths])
    assert [setting.name for setting in settings] == ["rule=oja", "rule=hebb"]
    faster = _write(tmp_path / "faster", 1, 0.7, rule={"name": "oja", "eta": 0.3})
    settings = group_by_setting([read_directory(path) for path in (*paths, faster)])
    assert [setting.name for setting in settings][2] == "rule=oja, eta=0.3"


def test_the_length_of_a_run_is_a_setting_where_it_is_swept(tmp_path: Path) -> None:
    paths = [
        _write(tmp_path / str(count), count, 0.7, evolution={"generations": count})
        for count in (5, 9)
    ]
    runs = [read_directory(path) for path in paths]
    assert len(group_by_setting(runs)) == 1
    names = [setting.name for setting in group_by_setting(runs, ["evolution.generations"])]
    assert names == ["generations=5", "generations=9"]


def test_old_keys_and_new_ones_are_one_setting(tmp_path: Path) -> None:
    old = {"evolution": {"sigma": 0.1, "init_gain": 1.5, "alternate_halves": False}}
    new = {
        "search": {"name": "es", "sigma": 0.1},
        "genome": {"init_gain": 1.5},
        "curriculum": {"name": "uniform"},
    }
    paths = [_write(tmp_path / "a", 1, 0.6, **old), _write(tmp_path / "b", 2, 0.7, **new)]
    assert len(group_by_setting([read_directory(path) for path in paths])) == 1


def test_one_seed_twice_in_a_setting_is_refused(root: Path) -> None:
    runs = open_all([root, root / "seed1-sigma0.02"]).runs
    with pytest.raises(UsageError, match=r"sigma=0\.02 has seed 1 more than once, in .*seed1"):
        group_by_setting(runs)


def test_what_is_a_folder_of_runs(root: Path, tmp_path: Path) -> None:
    assert is_folder_of_runs(root)
    assert not is_folder_of_runs(root / "seed1-sigma0.02")
    assert not is_folder_of_runs(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert not is_folder_of_runs(empty)
    (empty / "sweep.json").write_text("{}")
    with pytest.raises(UsageError, match=r"no run of .*empty has evaluated a center yet"):
        open_all([empty])
