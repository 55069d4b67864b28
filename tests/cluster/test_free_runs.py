"""Whole runs on free-running tasks: repeatable, measured, blind to what is held out."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from cluster.checkpoint import load_checkpoint
from cluster.config.run import RunConfig
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from cluster.progress import SilentProgress, Tick
from evoplastic.checks import UsageError
from evoplastic.records.events import EvaluationEvent, GenerationEvent
from evoplastic.trials.table import TrialTable
from tests.cluster.free import free_config


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    return free_config(tmp_path_factory.mktemp("suite"))


@pytest.fixture(scope="module")
def whole(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """The run that nothing disturbs."""
    return evolve(config, tmp_path_factory.mktemp("whole") / "run")


class Stop(SilentProgress):
    """Asks the process to stop when generation 3 is done."""

    def tick(self, tick: Tick) -> None:
        """Act once."""
        if tick.generation == 3:
            os.kill(os.getpid(), signal.SIGTERM)


def search_bytes(run_dir: Path) -> list[bytes]:
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    return [tensors[name].numpy().tobytes() for name in sorted(tensors)]


def test_a_stopped_run_goes_on_to_the_same_bytes(
    config: RunConfig, whole: RunOutcome, tmp_path: Path
) -> None:
    stopped = evolve(config, tmp_path / "run", progress=Stop())
    assert (stopped.status, stopped.generation) == ("preempted", 3)
    resumed = resume(tmp_path / "run")
    assert resumed.center_digest == whole.center_digest
    assert search_bytes(resumed.run_dir) == search_bytes(whole.run_dir)


def test_shards_are_machinery(config: RunConfig, whole: RunOutcome, tmp_path: Path) -> None:
    other = config.model_copy(update={"pairs_per_shard": 2})
    losses = [
        [
            event.metrics["fitness/loss_mean"]
            for event in read_journal(run / "journal.ndjson")[0]
            if isinstance(event, GenerationEvent)
        ]
        for run in (evolve(other, tmp_path / "run").run_dir, whole.run_dir)
    ]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def test_every_task_is_measured_beside_its_levels(whole: RunOutcome) -> None:
    events = read_journal(whole.run_dir / "journal.ndjson")[0]
    first, last = (event for event in events if isinstance(event, EvaluationEvent))
    assert (first.generation, last.generation) == (0, 5)
    for condition in ("plastic", "plasticity_off", "random_genome"):
        entries = {entry.task: entry for entry in last.entries if entry.condition == condition}
        assert set(entries) == {"echo", "stairs", "dms"}
        for entry in entries.values():
            assert len(entry.reward) == len(entry.accuracy) == entry.lifetimes
            assert entry.reward_oracle is not None
            assert entry.reward_chance is not None
            assert entry.reward_oracle > entry.reward_chance
            assert entry.chance is not None
            assert entry.reward_curve is not None
            assert len(entry.reward_curve) == 3
        assert entries["dms"].fixed_policy_level == pytest.approx(0.5, abs=0.1)


def test_trials_are_new_every_few_generations_and_never_the_held_out_ones(
    config: RunConfig,
) -> None:
    experiment = build_experiment(config)

    def digests(generation: int) -> list[str]:
        tasks = experiment.problem_at(generation).tasks
        return [bank.digest for bank in tasks if isinstance(bank, TrialTable)]

    assert [bank.task for bank in experiment.problem_at(3).tasks] == ["echo", "stairs"]
    assert digests(0) == digests(1) != digests(2) == digests(3)
    measured = experiment.evaluation_problem
    assert [bank.task for bank in measured.tasks] == ["echo", "stairs", "dms"]
    seen = {bank.digest for bank in measured.tasks if isinstance(bank, TrialTable)}
    assert not seen & {*digests(0), *digests(2)}
    again = build_experiment(config)
    assert digests(2) == [
        bank.digest for bank in again.problem_at(2).tasks if isinstance(bank, TrialTable)
    ]


def test_a_network_too_small_for_the_suite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="num_neurons is 8"):
        build_experiment(free_config(tmp_path, "num_neurons=8"))
