from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Command

SHORT = ("lifetime.num_trials=12", "lifetime.scored_trials=4")
QUICK = (
    *SHORT,
    "lifetime.perturbation.quiet_trials=2",
    *("rule.first_trial=2", "rule.eta=3.0"),
    "rule.max_change=1.0",  # large, so that a short life shows its plasticity
)


def test_report_is_complete(command: Command, genome_file: Path) -> None:
    words = ("evaluate", genome_file, *QUICK, "--task", "dms", "--lifetimes", 70, "--json")
    report = command(*words).json
    (entry,) = report["tasks"]
    assert (entry["task"], entry["role"]) == ("dms", "held_out")
    assert (entry["chance"], entry["fixed_policy_level"]) == (0.5, 0.75)
    assert report["lifetimes"] == 70
    for condition in ("plastic", "plasticity_off"):
        summary = entry[condition]
        curve = np.array(summary["learning_curve"])
        assert curve.shape == (12,)
        assert curve[-4:].mean() == pytest.approx(summary["accuracy_mean"], abs=1e-4)
        quartiles = [summary[f"accuracy_{name}"] for name in ("q25", "median", "q75")]
        assert quartiles == sorted(quartiles)
        assert 0.0 <= summary["above_fixed_policy"] <= 1.0
    assert entry["plastic"] != entry["plasticity_off"]
    assert command(*words).json == report  # same seed, same lifetimes


def test_seed_and_plasticity_matter(command: Command, genome_file: Path) -> None:
    words = ("evaluate", genome_file, *QUICK, "--task", "and", "--lifetimes", 8, "--json")
    first = command(*words).json["tasks"][0]
    other = command(*words, "--seed", 7).json["tasks"][0]
    off = command(*words, "--no-plasticity").json["tasks"][0]
    assert first["plastic"] != other["plastic"]
    assert "plastic" not in off
    assert off["plasticity_off"] == first["plasticity_off"]


def test_text_shows_held_out_tasks_with_their_levels(command: Command, genome_file: Path) -> None:
    answer = command("evaluate", genome_file, *QUICK, "--lifetimes", 2)
    assert answer.code == 0
    for word in ("dms", "dnms", "plasticity off", "75%", "50%", "1-2", "seed 1000003"):
        assert word in answer.out


def test_settings_come_from_the_run_of_the_genome(
    command: Command, tmp_path: Path, genome_file: Path
) -> None:
    run = tmp_path / "run"
    (run / "genomes").mkdir(parents=True)
    genome_file.rename(run / "genomes" / "center.safetensors")
    resolved = command("config", "show", "smoke", *QUICK, "name=mine").out
    (run / "config.resolved.yaml").write_text(resolved)
    report = command("evaluate", run, "--lifetimes", 1, "--json").json
    assert report["num_trials"] == 12
    assert report["config"] == str(run / "config.resolved.yaml")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--task", "dsm"), "did you mean 'dms'?"),
        (("--engine", "refrence"), "did you mean 'reference'?"),
        (("--lifetimes", "0"), "0 is not at least 1"),
        (("lifetime.num_trails=9",), "num_trials"),
    ],
)
def test_bad_input_is_exit_code_2(
    command: Command, genome_file: Path, words: tuple[str, ...], hint: str
) -> None:
    answer = command("evaluate", genome_file, *words)
    assert answer.code == 2
    assert hint in answer.err
    assert "Traceback" not in answer.err


def test_a_genome_that_does_not_fit_the_task_is_told_both_sizes(
    command: Command, tmp_path: Path
) -> None:
    np.savetxt(tmp_path / "m.txt", np.zeros((20, 20)))
    command(
        *("genome", "import", "--w", "m.txt", "--alpha", "m.txt", "--out", "wide.st"),
        *("--num-inputs", 3),
    )
    answer = command("evaluate", "wide.st", "--task", "dms")
    assert answer.code == 2
    assert "2 inputs" in answer.err
    assert "network has 3" in answer.err
