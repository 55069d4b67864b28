"""Whole runs in the driver: the same bytes every time, through stops, failures and resumption."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cluster.checkpoint import load_checkpoint
from cluster.config.run import RunConfig, load_config
from cluster.executors import InProcessExecutor, Result, Shard, run_shard
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from cluster.progress import SilentProgress, Tick
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult, PopulationShard
from evoplastic.records.events import (
    EndEvent,
    EvaluationEvent,
    Event,
    GenerationEvent,
    ResumeEvent,
    StartEvent,
)

OVERRIDES = [
    "engine=reference",
    "tracking.enabled=false",
    "evaluation.controls=false",
    "evaluation.train_lifetimes=0",
    "evaluation.held_out_lifetimes=2",
]


def small(*overrides: str) -> RunConfig:
    return load_config("smoke", [*OVERRIDES, *overrides])


def events(outcome: RunOutcome) -> list[Event]:
    return read_journal(outcome.run_dir / "journal.ndjson")[0]


def search_bytes(run_dir: Path) -> list[bytes]:
    """Center and optimizer state of the newest checkpoint."""
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    return [tensors[name].numpy().tobytes() for name in sorted(tensors)]


class At(SilentProgress):
    """Does something when a generation is done."""

    def __init__(self, generation: int, action: Callable[[], None]) -> None:
        self._generation, self._action = generation, action

    def tick(self, tick: Tick) -> None:
        """Act once."""
        if tick.generation == self._generation:
            self._action()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """The run that nothing disturbs."""
    return evolve(small(), tmp_path_factory.mktemp("whole") / "run")


def test_a_run_leaves_a_directory_that_explains_itself(whole: RunOutcome) -> None:
    assert (whole.status, whole.exit_code, whole.generation) == ("done", 0, 4)
    assert (whole.run_dir / "STATUS").read_text().strip() == "done"
    assert load_config(whole.run_dir / "config.resolved.yaml") == small()
    center = Genome.load(whole.run_dir / "genomes" / "center.safetensors")
    initial = Genome.load(whole.run_dir / "genomes" / "initial.safetensors")
    assert center.digest == whole.center_digest
    assert center.digest != initial.digest
    assert center.provenance["run_id"] == whole.run_id
    assert center.provenance["generation"] == "4"
    measured = [event for event in events(whole) if isinstance(event, EvaluationEvent)]
    assert center.parents[0].digest == measured[-2].genome_digest
    assert measured[0].parent_digest == ""
    assert center.provenance["config_digest"] == small().digest
    assert len(center.provenance["suite_digest"]) == 16


def test_the_journal_tells_every_generation_once(whole: RunOutcome) -> None:
    told = events(whole)
    assert isinstance(told[0], StartEvent)
    assert ("dms", "dnms") in (told[0].negations or ())
    assert isinstance(told[-1], EndEvent)
    assert [event.generation for event in told if isinstance(event, GenerationEvent)] == [
        0,
        1,
        2,
        3,
    ]
    assert [event.generation for event in told if isinstance(event, EvaluationEvent)] == [0, 2, 4]
    for event in told:
        if isinstance(event, GenerationEvent):
            assert event.metrics["fault/failed_individuals"] == 0
            assert event.metrics["fitness/loss_best"] <= event.metrics["fitness/loss_median"]
            assert event.metrics["search/update_norm"] > 0
            assert event.metrics["time/generation_s"] > 0
    assert whole.last_evaluation == told[-2]


def test_the_same_seed_gives_the_same_bytes(whole: RunOutcome, tmp_path: Path) -> None:
    again = evolve(small(), tmp_path / "run")
    assert again.center_digest == whole.center_digest
    assert search_bytes(again.run_dir) == search_bytes(whole.run_dir)
    assert again.run_id != whole.run_id


def test_another_seed_gives_another_center(whole: RunOutcome, tmp_path: Path) -> None:
    assert evolve(small("seed=2"), tmp_path / "run").center_digest != whole.center_digest


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        (signal.SIGTERM, "preempted", 75),
        (signal.SIGUSR1, "preempted", 75),
        (signal.SIGINT, "interrupted", 130),
    ],
)
def test_a_stopped_and_resumed_run_equals_one_that_never_stopped(
    whole: RunOutcome, tmp_path: Path, number: signal.Signals, status: str, code: int
) -> None:
    stopped = evolve(
        small(), tmp_path / "run", progress=At(2, lambda: os.kill(os.getpid(), number))
    )
    assert (stopped.status, stopped.exit_code, stopped.generation) == (status, code, 2)
    assert (tmp_path / "run" / "STATUS").read_text().strip() == status
    resumed = resume(tmp_path / "run")
    assert resumed.status == "done"
    assert resumed.center_digest == whole.center_digest
    assert search_bytes(resumed.run_dir) == search_bytes(whole.run_dir)
    generations = [e.generation for e in events(resumed) if isinstance(e, GenerationEvent)]
    assert generations == [0, 1, 2, 3]
    mine, theirs = (
        [e.entries for e in events(run) if isinstance(e, EvaluationEvent)]
        for run in (resumed, whole)
    )
    assert mine == theirs


def test_the_engine_is_recorded_and_a_change_of_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run_dir = tmp_path / "run"
    evolve(small("evolution.generations=2", "search.popsize=4"), run_dir)
    assert json.loads((run_dir / "environment.json").read_text())["engine"] == "reference"
    journal = run_dir / "journal.ndjson"  # made to tell of another machine
    told = re.sub(r',"chain":"\w{16}"', "", journal.read_text())  # and of an earlier version
    journal.write_text(told.replace('"engine":"reference"', '"engine":"gpu"'))
    outcome = resume(run_dir, ["evolution.generations=3"])
    engines = [e.engine for e in events(outcome) if isinstance(e, StartEvent | ResumeEvent)]
    assert engines == ["gpu", "reference"]
    warnings = [record.getMessage() for record in caplog.records if "engine" in record.msg]
    assert any("this run was on engine gpu and goes on with reference" in text for text in warnings)


def test_a_suite_that_is_not_the_one_of_the_run_is_refused(tmp_path: Path) -> None:
    """Of a run that has not kept it, as those of earlier versions."""
    suite = tmp_path / "mine.yaml"
    suite.write_text("name: mine\ntrain: [and, nor]\nheld_out: [dms]\n")
    evolve(small(f"suite={suite}", "curriculum=uniform"), tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "sources")
    suite.write_text("name: mine\ntrain: [and, dms]\nheld_out: [nor]\n")
    with pytest.raises(UsageError, match=r"mine\.yaml asks other tasks than when .*run began"):
        resume(tmp_path / "run", ["evolution.generations=5"])


def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        evolve(small(), tmp_path / "run", progress=At(1, twice))
    assert (tmp_path / "run" / "STATUS").read_text().strip() == "interrupted"
    assert resume(tmp_path / "run").status == "done"


def test_a_finished_run_says_so(whole: RunOutcome) -> None:
    before = (whole.run_dir / "journal.ndjson").read_bytes()
    again = resume(whole.run_dir)
    assert again.already_finished
    assert again.center_digest == whole.center_digest
    assert again.last_evaluation == whole.last_evaluation
    assert (whole.run_dir / "journal.ndjson").read_bytes() == before


def test_a_lengthened_run_equals_one_planned_long(tmp_path: Path) -> None:
    long = evolve(small("evolution.generations=5"), tmp_path / "long")
    evolve(small("evolution.generations=3"), tmp_path / "short")
    longer = resume(tmp_path / "short", ["evolution.generations=5"])
    assert longer.center_digest == long.center_digest
    assert longer.generations == longer.generation == 5
    assert load_config(tmp_path / "short" / "config.resolved.yaml").evolution.generations == 5


def test_how_work_is_cut_leaves_no_trace(whole: RunOutcome, tmp_path: Path) -> None:
    cut = ["pairs_per_shard=3", "evaluation.lifetimes_per_shard=1"]
    evolve(small("evolution.generations=2", "pairs_per_shard=25"), tmp_path / "run")
    other = resume(tmp_path / "run", ["evolution.generations=4", *cut])
    assert other.last_evaluation is not None
    assert whole.last_evaluation is not None
    assert other.last_evaluation.entries == whole.last_evaluation.entries
    assert search_bytes(other.run_dir) == search_bytes(whole.run_dir)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed=5", "seed: 1 -> 5"),
        ("search.popsize=10", "search.popsize: 8 -> 10"),
        ("evolution.generations=3", "cannot be made shorter"),
    ],
)
def test_a_resumed_run_stays_on_its_path(
    whole: RunOutcome, tmp_path: Path, override: str, message: str
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(whole.run_dir, copy)
    with pytest.raises(UsageError, match=message):
        resume(copy, [override])


def test_a_damaged_checkpoint_costs_one_generation(whole: RunOutcome, tmp_path: Path) -> None:
    stopped = evolve(
        small(), tmp_path / "run", progress=At(3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    )
    newest = sorted((stopped.run_dir / "checkpoints").glob("gen_*"))[-1]
    newest.write_bytes(newest.read_bytes()[:-7])
    assert resume(stopped.run_dir).center_digest == whole.center_digest


def test_a_run_directory_holds_one_run(whole: RunOutcome) -> None:
    with pytest.raises(UsageError, match="holds another run"):
        evolve(small(), whole.run_dir)


def failing(which: slice) -> InProcessExecutor:
    """An executor whose pairs bring home losses that are no numbers."""

    def simulate(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        result = run_shard(problem, center_G, shard)
        if isinstance(shard, PopulationShard) and isinstance(result, PopulationResult):
            first = shard.proposal.first
            index_P = np.arange(first, first + shard.lifetimes)
            loss_P = result.loss_P.copy()
            loss_P[np.isin(index_P, np.arange(8)[which])] = np.nan
            return result._replace(loss_P=loss_P)
        return result

    return InProcessExecutor(simulate)


def test_failed_individuals_are_counted_and_survived(whole: RunOutcome, tmp_path: Path) -> None:
    outcome = evolve(small(), tmp_path / "run", executor=failing(slice(2, 5)))
    assert outcome.status == "done"
    assert outcome.center_digest != whole.center_digest
    center = Genome.load(outcome.run_dir / "genomes" / "center.safetensors").center_G
    assert torch.isfinite(center).all()
    for event in events(outcome):
        if isinstance(event, GenerationEvent):
            assert event.metrics["fault/failed_individuals"] == 3
            assert np.isfinite(list(event.metrics.values())).all()


def test_a_generation_that_fails_whole_leaves_the_center(tmp_path: Path) -> None:
    config = small("evolution.flat_generations=0")
    outcome = evolve(config, tmp_path / "run", executor=failing(slice(0, 8)))
    initial = Genome.load(outcome.run_dir / "genomes" / "initial.safetensors")
    assert outcome.center_digest == initial.digest
    faults = [event for event in events(outcome) if event.event == "fault"]
    assert len(faults) == 4
    for event in events(outcome):
        if isinstance(event, GenerationEvent):
            assert event.metrics["fault/failed_individuals"] == 8
            assert "fitness/loss_mean" not in event.metrics


def test_an_error_leaves_a_run_that_can_be_resumed(whole: RunOutcome, tmp_path: Path) -> None:
    def simulate(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        if shard.generation == 2:
            raise ArithmeticError("a shard gives up")
        return run_shard(problem, center_G, shard)

    with pytest.raises(ArithmeticError, match="gives up"):
        evolve(small(), tmp_path / "run", executor=InProcessExecutor(simulate))
    assert (tmp_path / "run" / "STATUS").read_text().strip() == "failed"
    assert resume(tmp_path / "run").center_digest == whole.center_digest
