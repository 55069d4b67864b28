"""A curriculum that goes by recorded results chooses alike in a run that was cut and resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cluster.checkpoint import load_checkpoint
from cluster.config.differences import require_same_path
from cluster.config.run import load_config
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from cluster.session.informing import Informing
from evoplastic.checks import UsageError
from evoplastic.records.events import EvaluationEvent, TaskEvaluation

SMALL = (
    *(
        "engine=reference",
        "tracking.enabled=false",
        "evaluation.controls=false",
        "evaluation.every=2",
    ),
    *("evaluation.train_lifetimes=1", "evaluation.held_out_lifetimes=1", "search.popsize=6"),
    *("curriculum=learning_progress", "curriculum.explore=0.1"),
)

EVERY = "evaluation.every=3"


def tensors(run_dir: Path) -> dict[str, bytes]:
    found = load_checkpoint(run_dir / "checkpoints").tensors
    return {name: tensor.numpy().tobytes() for name, tensor in found.items()}


@pytest.mark.exhaustive
def test_a_cut_run_ends_where_a_whole_one_does(tmp_path: Path) -> None:
    """Cut after an odd number of generations, where the last center is measured out of turn."""
    suite = tmp_path / "three.yaml"
    suite.write_text("{name: three, train: [and, or, nand], held_out: [dms]}")
    small = [*SMALL, f"suite={suite}"]
    whole = evolve(load_config("smoke", [*small, "evolution.generations=5"]), tmp_path / "whole")
    cut = evolve(load_config("smoke", [*small, "evolution.generations=3"]), tmp_path / "cut")
    resume(cut.run_dir, ["evolution.generations=5"])
    assert tensors(whole.run_dir) == tensors(cut.run_dir)
    sessions = [
        event
        for event in read_journal(whole.run_dir / "journal.ndjson")[0]
        if isinstance(event, EvaluationEvent)
    ]
    assert [session.generation for session in sessions] == [0, 2, 4, 5]
    assert all(e.curve for s in sessions for e in s.entries if e.role == "train")
    with pytest.raises(UsageError, match=r"evaluation.every: 2 -> 3"):
        resume(cut.run_dir, ["evolution.generations=6", EVERY])


def session(generation: int, tasks: list[str], first: float, last: float) -> EvaluationEvent:
    curve = (first,) * 5 + (0.9,) * 10 + (last,) * 5
    entries = tuple(
        TaskEvaluation(
            task=task,
            role="train",
            condition="plastic",
            accuracy=(last,),
            loss_mean=0.0,
            chance=0.5,
            fixed_policy_level=None,
            curve=curve,
        )
        for task in tasks
    )
    return EvaluationEvent(
        time_ms=0,
        generation=generation,
        genome_digest="",
        parent_digest="",
        seconds=0.0,
        entries=entries,
    )


def test_a_generation_goes_by_the_last_session_in_turn() -> None:
    """0 is guessing, 1 knowing; a last center is measured out of turn, which a longer run does not
    do, so that its session must not count."""
    experiment = build_experiment(
        load_config("smoke", [*SMALL, "lifetime.num_trials=20", "lifetime.scored_trials=5"])
    )
    tasks = [task.name for task in experiment.suite.train]
    sessions = [session(n, tasks, 0.5 + n / 100, 0.8) for n in (0, 2, 4, 5)]
    read, taken = Informing(experiment, sessions), Informing(experiment, [])
    for each in sessions[:3]:
        taken.take(each)
    for informing in (read, taken):
        for generation, before in ((0, 0), (1, 0), (4, 4), (5, 4)):
            measured = informing.measured(generation)
            assert measured is not None
            np.testing.assert_allclose(measured.early_T, np.full(len(tasks), before / 50))
            np.testing.assert_allclose(measured.late_T, np.full(len(tasks), 0.6))
    plain = build_experiment(load_config("smoke", [*SMALL[:-2], "curriculum=uniform"]))
    assert Informing(plain, sessions).measured(4) is None


def test_settings_of_the_measurement_are_on_the_path() -> None:
    informed, other = load_config("smoke", SMALL), load_config("smoke", [*SMALL, EVERY])
    assert informed.path_digest != other.path_digest
    with pytest.raises(UsageError, match=r"evaluation.every: 2 -> 3; start a new run instead"):
        require_same_path(informed, other)
    uniform = [*SMALL[:-2], "curriculum=uniform"]
    assert (
        load_config("smoke", uniform).path_digest
        == load_config("smoke", [*uniform, EVERY]).path_digest
    )


def test_a_run_that_measures_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="train_lifetimes is 0, but curriculum hard_first goes by"):
        load_config("smoke", ["curriculum=hard_first", "evaluation.train_lifetimes=0"])
