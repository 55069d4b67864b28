from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evoplastic.cli.evaluation_report import by_group, unlearnt
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
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


def test_regret_of_a_group_needs_the_level_of_each_task() -> None:
    def entry(group: str, reward: float, adaptive: float | None) -> dict[str, Any]:
        plastic = {"accuracy_mean": None, "reward_mean": reward}
        return {"group": group, "plastic": plastic, "reward_adaptive": adaptive}

    entries = [entry("a", 0.5, 1.0), entry("a", 0.7, 1.2), entry("b", 0.5, 1.0)]
    found = by_group([*entries, entry("b", 0.5, None)], ["plastic"])
    assert found["a"]["plastic"]["regret"] == pytest.approx(0.5)
    assert "regret" not in found["b"]["plastic"]


def test_seed_and_plasticity_matter(command: Command, genome_file: Path) -> None:
    words = ("evaluate", genome_file, *QUICK, "--task", "and", "--lifetimes", 8, "--json")
    first = command(*words).json["tasks"][0]
    other = command(*words, "--seed", 7).json["tasks"][0]
    off = command(*words, "--no-plasticity").json["tasks"][0]
    assert first["plastic"] != other["plastic"]
    assert "plastic" not in off
    assert off["plasticity_off"] == first["plasticity_off"]


def test_groups_of_held_out_tasks_have_means(command: Command, tmp_path: Path) -> None:
    suite = tmp_path / "mine.yaml"
    suite.write_text(
        "name: mine\nwithheld: [{rule: same, delay: long, modality: b}]\ncombinations: "
        "{rule: [and, same], delay: [none, long], response: [pro, anti], modality: [a, b]}"
    )
    genome = Genome.random(Layout(NeuronGroups(num_neurons=16, num_inputs=4)), 0, GenomeConfig())
    genome.save(tmp_path / "g.safetensors")
    words = ("evaluate", tmp_path / "g.safetensors", *SHORT, f"suite={suite}", "--lifetimes", 4)
    report = command(*words, "--config", "smoke", "--json").json
    means = [entry["plastic"]["accuracy_mean"] for entry in report["tasks"]]
    assert [entry["group"] for entry in report["tasks"]] == ["3 new together"] * 2
    assert report["groups"]["3 new together"]["plastic"] == {
        "tasks": 2,
        "accuracy_mean": pytest.approx(sum(means) / 2),
        "reward_mean": pytest.approx(sum(means) / 2),
    }
    assert "3 new together" in command(*words, "--config", "smoke").out


def unlearnt_entry(**changed: float | None) -> dict[str, Any]:
    """What `evaluate` finds, plastic accuracy 0.9, off 0.5, best fixed policy 0.7."""
    numbers = {"on": 0.9, "off": 0.5, "std": 0.1, "fixed": 0.7} | changed
    summary = {f"reward_{name}": 0.0 for name in ("mean", "std")}
    found: dict[str, Any] = {
        name: {**summary, "accuracy_mean": numbers[name], "accuracy_std": numbers["std"]}
        for name in ("on", "off")
    }
    return {
        "task": "dms",
        "fixed_policy_level": numbers["fixed"],
        "reward_fixed_policy": None,
        "plastic": found["on"],
        "plasticity_off": found["off"],
    }


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ({}, []),
        ({"fixed": None}, []),
        ({"off": 0.9}, ["off (90.0%)"]),
        ({"on": 0.4}, ["off (50.0%)", "policy (70.0%)"]),
        ({"fixed": 0.89}, ["policy (89.0%)"]),  # within two standard errors of 0.1 / 8
        ({"fixed": 0.87}, []),
        ({"fixed": 0.87, "std": 0.3}, ["policy (87.0%)"]),
    ],
)
def test_a_score_that_others_reach_is_warned_of(
    changed: dict[str, float | None], reached: list[str]
) -> None:
    warnings = unlearnt(unlearnt_entry(**changed), 64)
    assert len(warnings) == bool(reached)
    assert all(word in warnings[0] for word in reached)


def test_of_a_stream_what_is_acquired_is_compared() -> None:
    def found(*acquired: float) -> dict[str, Any]:
        return {"scores": {"acquisition": acquired}}

    learnt = {"plastic": found(0.9, 0.8), "plasticity_off": found(0.5, 0.4)}
    entry = unlearnt_entry(on=0.4) | {"stream": learnt}
    assert unlearnt(entry, 2) == []
    (warning,) = unlearnt(entry | {"stream": learnt | {"plastic": found(0.6, 0.4)}}, 2)
    assert "acquisition 50.0%" in warning
    assert "off (45.0%)" in warning


def test_a_network_that_does_not_learn_is_called_so(command: Command, genome_file: Path) -> None:
    still = (*SHORT, "lifetime.perturbation.quiet_trials=2", "rule.eta=0", "rule.first_trial=2")
    words = ("evaluate", genome_file, *still, "--lifetimes", 4)
    answer = command(*words)
    assert answer.code == 0
    assert answer.out.count("warning: ") == 2, "of both held-out tasks"
    for entry in command(*words, "--json").json["tasks"]:
        (warning,) = entry["warnings"]
        assert f"warning: {warning}" in answer.out
        assert warning.startswith(f"{entry['task']}: accuracy ")
    assert command(*words, "--no-plasticity", "--json").json["tasks"][0]["warnings"] == []


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
    assert report["config"] == "run/config.resolved.yaml"


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
