"""Controls of streams: what is left out is left out, and all else is the same lifetime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cluster.config.run import load_config
from cluster.experiment import build_experiment
from evoplastic.api.evaluating import measure
from evoplastic.api.setting import Setting, setting_of
from evoplastic.api.streams.controls import controlled
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.lifetime.shards import ReplicateResult

SUITE = """
name: small
train: [{stream: [and, or, and], trials: [8, 6, 4], probes: 2, name: s}]
held_out: [dms]
"""
LIVES, BEFORE = 12, 4 + 8 + 4  # trials up to the second part


def _setting(tmp_path: Path, *overrides: str, tasks: tuple[str, ...] = ("s",)) -> Setting:
    path = tmp_path / "small.yaml"
    path.write_text(SUITE)
    of_stream = ("lifetime.num_trials=34", "lifetime.perturbation.quiet_trials=0", "rule.eta=0.3")
    chosen = [f"suite={path}", *of_stream, "rule.first_trial=5", "curriculum=uniform", *overrides]
    experiment = build_experiment(load_config("smoke", chosen))
    center_G = experiment.first_genome().center_G
    for name, field in experiment.layout.slices.items():
        if name == "modulation.gain":
            center_G[field] = torch.linspace(-2, 2, field.stop - field.start)
    genome = Genome(experiment.layout, center_G, {})
    return setting_of(genome, tasks, config="smoke", overrides=chosen, engine="reference")


def _measured(setting: Setting, *conditions: str) -> list[ReplicateResult]:
    ((_, results),) = measure(setting, LIVES, conditions)
    return [results[condition] for condition in conditions]


def test_plasticity_stops_after_the_first_part(tmp_path: Path) -> None:
    plastic, frozen = _measured(_setting(tmp_path), "plastic", "frozen_after_first")
    same_LK = plastic.correct_LK == frozen.correct_LK
    assert same_LK[:, :BEFORE].all()
    assert (plastic.loss_L != frozen.loss_L).all()


def test_gating_off_is_a_gain_of_one(tmp_path: Path) -> None:
    setting = _setting(tmp_path, "modulation=gain")
    plastic, ungated = _measured(setting, "plastic", "gating_off")
    assert (plastic.loss_L != ungated.loss_L).all()
    _, center_G, _ = controlled(setting, "gating_off", 0)
    field = setting.genome.layout.slices["modulation.gain"]
    assert (center_G[field] == 0).all()
    others = torch.ones(len(center_G), dtype=torch.bool)
    others[field] = False
    assert torch.equal(center_G[others], setting.genome.center_G[others])


def test_an_iid_order_has_the_same_trials(tmp_path: Path) -> None:
    setting = _setting(tmp_path)
    course = setting.problem.held_out[0].course  # type: ignore[union-attr]
    shuffled = controlled(setting, "iid_order", 0).problem.held_out[0].course  # type: ignore[union-attr]
    assert course is not None
    assert shuffled is not None
    taught = ~course.probe_K
    assert (shuffled.probe_K == course.probe_K).all()
    for name in ("task_K", "key_K", "start_K"):
        ours, theirs = getattr(shuffled, name), getattr(course, name)
        assert (ours[~taught] == theirs[~taught]).all()
        assert sorted(ours[taught].tolist()) == sorted(theirs[taught].tolist())
    assert (np.diff(shuffled.task_K[taught]) != 0).sum() > 3  # both tasks all along
    assert not np.array_equal(course.shuffled(1).key_K, course.shuffled(2).key_K)
    one, other = _measured(setting, "plastic", "iid_order")
    assert (one.correct_LK != other.correct_LK).any()


@pytest.mark.parametrize(
    ("condition", "tasks", "message"),
    [
        ("iid_order", ("dms",), "is of streams, but task 'dms' is none"),
        ("gating_off", ("s",), "needs a genome with gating .* the fields w, alpha"),
    ],
)
def test_controls_of_what_is_not_there_are_refused(
    tmp_path: Path, condition: str, tasks: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        controlled(_setting(tmp_path, tasks=tasks), condition, 0)
