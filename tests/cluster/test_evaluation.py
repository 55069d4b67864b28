"""Evaluation sessions of the bare center."""

from __future__ import annotations

import numpy as np
import pytest

from cluster.config.run import load_config
from cluster.evaluation import evaluate_center, evaluation_share, session_lifetimes
from cluster.executors import InProcessExecutor, StopRequested
from cluster.experiment import Experiment, build_experiment

OVERRIDES = [
    "engine=reference",
    "evaluation.held_out_lifetimes=5",
    "evaluation.lifetimes_per_shard=2",
]


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return build_experiment(load_config("smoke", OVERRIDES))


def test_the_first_session_has_controls_and_curves(experiment: Experiment) -> None:
    center_G = experiment.first_genome().center_G
    entries, seconds = evaluate_center(experiment, center_G, 0, InProcessExecutor(), never)
    assert seconds > 0
    assert len(entries) == 3 * 14
    assert {entry.condition for entry in entries} == {"plastic", "plasticity_off", "random_genome"}
    for entry in entries:
        held_out = entry.task in ("dms", "dnms")
        assert entry.role == ("held_out" if held_out else "train")
        assert entry.lifetimes == (5 if held_out else 1)
        assert entry.curve is not None
        assert len(entry.curve) == experiment.config.lifetime.num_trials
        scored = experiment.config.lifetime.scored_trials
        assert np.mean(entry.curve[-scored:]) == pytest.approx(np.mean(entry.accuracy), abs=2e-4)
        assert entry.chance == 0.5
        assert entry.fixed_policy_level == (0.75 if held_out else 0.5)


def test_the_controls_are_what_they_say(experiment: Experiment) -> None:
    """Off: the same genome with alpha = 0. Random: another genome. So losses differ, all three."""
    center_G = experiment.first_genome().center_G
    entries, _ = evaluate_center(experiment, center_G, 0, InProcessExecutor(), never)
    losses = {entry.condition: entry.loss_mean for entry in entries if entry.task == "dms"}
    assert len(set(losses.values())) == 3
    layout = experiment.layout
    without_G = center_G.clone()
    without_G[layout.slices["alpha"]] = 0.0
    bare, _ = evaluate_center(experiment, without_G, 0, InProcessExecutor(), never)
    assert losses["plasticity_off"] == next(
        entry.loss_mean for entry in bare if (entry.task, entry.condition) == ("dms", "plastic")
    )


def test_sessions_in_between_are_short(experiment: Experiment) -> None:
    center_G = experiment.first_genome().center_G
    entries, _ = evaluate_center(experiment, center_G, 2, InProcessExecutor(), never)
    assert len(entries) == 14
    assert all(entry.curve is None and entry.condition == "plastic" for entry in entries)


def test_shard_size_changes_nothing(experiment: Experiment) -> None:
    whole = build_experiment(load_config("smoke", [*OVERRIDES, "evaluation.lifetimes_per_shard=5"]))
    center_G = experiment.first_genome().center_G
    entries = [
        evaluate_center(one, center_G, 2, InProcessExecutor(), never)[0]
        for one in (experiment, whole)
    ]
    assert entries[0] == entries[1]


def test_a_stop_is_heard_between_shards(experiment: Experiment) -> None:
    with pytest.raises(StopRequested):
        evaluate_center(
            experiment, experiment.first_genome().center_G, 0, InProcessExecutor(), lambda: True
        )


def test_the_share_counts_every_lifetime_of_a_run() -> None:
    config = load_config("smoke").evaluation
    session = session_lifetimes(config, 12, 2)
    assert session == 12 * 1 + 2 * 4
    # Sessions at 0, 2 and 4; the first and the last under three conditions.
    assert evaluation_share(config, 4, 8, 12, 2) == pytest.approx(
        7 * session / (7 * session + 4 * 8)
    )
