"""Runs whose networks are modulated: chosen by name, evolved, and resumed with what they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cluster.config.run import load_config
from cluster.experiment import build_experiment
from cluster.loop import evolve
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.names import CONFIG_NAME

FEW = ["evolution.generations=2", "evaluation.held_out_lifetimes=2"]
WRITTEN = (
    "modulation={name: mine, num_neurons: 3, channels: [{target: gain}, {target: threshold, "
    "scope: all, strength: 0.5}, {target: plasticity, init: 1}]}"
)


def test_a_written_out_modulation_runs_and_resolves_to_itself(tmp_path: Path) -> None:
    config = load_config(
        "smoke", [*FEW, "rule=node_perturbation_network", "rule.first_trial=1", WRITTEN]
    )
    done = evolve(config, tmp_path / "run")
    again = load_config(done.run_dir / CONFIG_NAME)
    assert again.digest == config.digest
    last = Genome.load(done.run_dir / "genomes" / "center.safetensors")
    first = build_experiment(again).first_genome()
    assert last.groups.num_modulators == 3
    assert list(last.values) == ["w", "alpha", "modulation.gain", "modulation.plasticity"]
    for name, value in last.values.items():
        assert not torch.equal(value, first.values[name]), f"{name} never changed"


def test_the_default_is_the_published_pair() -> None:
    plain, named = load_config("smoke"), load_config("smoke", ["modulation=opposed_pair"])
    assert plain.digest == named.digest
    assert build_experiment(plain).layout.groups.num_modulators == 2


def test_a_genome_with_other_fan_outs_is_refused() -> None:
    problem = build_experiment(load_config("smoke", [*FEW, "modulation=gain"])).problem
    other = build_experiment(load_config("smoke", [*FEW, "modulation=threshold"])).problem
    with pytest.raises(UsageError, match=r"modulation.gain .*modulation.threshold"):
        replace(other, layout=problem.layout)
    three = build_experiment(
        load_config("smoke", [*FEW, "modulation=gain", "modulation.num_neurons=3"])
    ).problem
    with pytest.raises(
        UsageError, match=r"has 3 modulatory neurons, but modulation 'gain'.* has 2"
    ):
        replace(problem, layout=three.layout)
