"""Estimates before a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cluster.config.run import load_config
from cluster.experiment import build_experiment
from cluster.planning.dry_run import dry_run_text, estimate, warnings_of


def test_the_published_setting_has_the_published_size() -> None:
    facts = estimate(build_experiment(load_config("miconi2023")), workers=4)
    assert facts["genome"]["length"] == 9800
    assert facts["generation"]["lifetimes"] == 500
    assert facts["generation"]["trials"] == 200_000
    assert facts["generation"]["agent_steps"] == 10_000_000
    assert facts["generation"]["multiply_adds"] == 49_000_000_000
    assert facts["generation"]["shards"] == 10
    assert facts["run"]["evaluation_share"] < 0.2
    traffic = facts["traffic_bytes_per_generation"]
    assert traffic["out"] > 4 * 9800 * 4
    assert traffic["back"] > 500 * 24


def test_work_in_the_driver_sends_nothing() -> None:
    facts = estimate(build_experiment(load_config("miconi2023")))
    assert facts["traffic_bytes_per_generation"] == {"out": 0, "back": 0}


def test_a_gpu_simulates_its_share_of_a_generation_at_once() -> None:
    cpu = build_experiment(load_config("miconi2023", ["engine=cpu"]))
    gpu = replace(cpu, problem=replace(cpu.problem, engine="gpu"))
    for experiment, workers, lifetimes in ((cpu, 2, 50), (gpu, 3, 167), (gpu, 0, 500)):
        memory = estimate(experiment, workers)["memory_bytes"]
        assert memory["per_process_lifetimes"] == lifetimes * 5 * 70**2 * 4


def test_the_text_ends_with_warnings() -> None:
    frequent = ["evaluation.every=1", "lifetime.num_trials=100", "lifetime.scored_trials=50"]
    late = build_experiment(load_config("laptop", [*frequent, "rule.first_trial=50"]))
    evaluation, plasticity = warnings_of(late)
    assert "raise evaluation.every" in evaluation
    assert "scored without plasticity" in plasticity
    text = dry_run_text(late, workers=2)
    assert text.startswith("name: laptop")
    assert f"warning: {plasticity}" in text


def test_tasks_that_ask_the_same_are_mentioned() -> None:
    published = build_experiment(load_config("miconi2023", ["task_table=published"]))
    assert warnings_of(published) != []


def test_held_out_tasks_that_a_training_task_answers_are_mentioned(tmp_path: Path) -> None:
    suite = tmp_path / "near.yaml"
    suite.write_text(
        "name: near\ndefaults: {set: {dim_ring: 2}}\n"
        "train: [yang19.dlyanti, yang19.dms]\nheld_out: [yang19.go, yang19.ctxdm1]\n"
    )
    (warning,) = warnings_of(
        build_experiment(load_config("smoke", [f"suite={suite}", "num_neurons=17"]))
    )
    assert "training task 'yang19.dlyanti'" in warning
    assert "held-out task 'yang19.go'" in warning
    assert "little left to learn" in warning
