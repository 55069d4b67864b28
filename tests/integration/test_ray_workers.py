"""Real Ray workers: their number, their deaths and their mistakes leave no trace in the result.

What is not marked `cluster` is the promise in short: a worker that is killed, tasks that travel.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import ray
import torch
from torch import Tensor

from cluster.checkpoint import load_checkpoint
from cluster.config.run import RunConfig, load_config, override_config
from cluster.executors import (
    InProcessExecutor,
    Result,
    Shard,
    ShardError,
    StopRequested,
    run_shard,
)
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve
from cluster.progress import SilentProgress, Tick
from cluster.workers.ray_cluster import connect
from cluster.workers.ray_executor import RayExecutor
from cluster.workers.staffing.request import WorkerRequest
from evoplastic.checks import UsageError
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult, PopulationShard, ReplicateShard
from evoplastic.records.events import GenerationEvent
from evoplastic.records.names import ARCHIVE_NAME, PEDIGREE_LOG_NAME
from evoplastic.search.config import ESConfig
from tests.cluster.free import free_config
from tests.cluster.tiny import tiny_genome, tiny_problem
from tests.evoplastic.lifetime.populations import pair_shards
from tests.evoplastic.search.climbing import CLIMBING, SETTINGS, every_search, listed

PROBLEM = tiny_problem()
SEARCH = ESConfig(popsize=32)
CENTER_G = tiny_genome(PROBLEM).center_G
SHARDS: list[Shard] = [
    *pair_shards(PROBLEM, SEARCH, 1, 16, 1),
    ReplicateShard(1, 2, 0, 4, False),
]
OVERRIDES = [
    "engine=reference",
    "tracking.enabled=false",
    "evaluation.controls=false",
    "evaluation.train_lifetimes=0",
    "evaluation.held_out_lifetimes=4",
    "evaluation.lifetimes_per_shard=2",
    "evolution.generations=6",
]


def never() -> bool:
    return False


def on_cpus(workers: int) -> WorkerRequest:
    """Some workers, whatever GPUs this machine has."""
    return WorkerRequest(most=workers, gpus_per_worker=0)


def assert_same(ours: Sequence[Result], theirs: Sequence[Result]) -> None:
    for shard, mine, other in zip(SHARDS, ours, theirs, strict=True):
        for name, a, b in zip(mine._fields, mine, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{shard}: {name}")


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    """One Ray cluster of two CPUs for all tests of this file, ended with them."""
    assert connect(2, None)
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def expected() -> list[Result]:
    return InProcessExecutor().map(PROBLEM, CENTER_G, SHARDS, never)


@pytest.fixture(scope="module", params=every_search(pytest.mark.cluster))
def config(request: pytest.FixtureRequest) -> Iterator[RunConfig]:
    """A run with each search, among them one whose genomes travel as arrays."""
    with listed(CLIMBING):
        settings = [f"search={request.param}", *SETTINGS.get(request.param, []), "search.popsize=8"]
        yield load_config("smoke", [*OVERRIDES, *settings])


@pytest.fixture(scope="module")
def without_workers(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    return evolve(config, tmp_path_factory.mktemp("zero") / "run")


def run_with(
    executor: RayExecutor, config: RunConfig, run_dir: Path, progress: SilentProgress
) -> RunOutcome:
    try:
        return evolve(config, run_dir, executor=executor, progress=progress)
    finally:
        executor.close()


def assert_same_end(ours: RunOutcome, theirs: RunOutcome) -> None:
    """Center, state of the search and, where there is one, archive: byte for byte."""
    assert ours.center_digest == theirs.center_digest
    mine, other = (load_checkpoint(each.run_dir / "checkpoints") for each in (ours, theirs))
    assert mine.tensors.keys() == other.tensors.keys()
    for name, tensor in mine.tensors.items():
        assert tensor.numpy().tobytes() == other.tensors[name].numpy().tobytes(), name
    archives = [each.run_dir / ARCHIVE_NAME for each in (ours, theirs)]
    assert archives[0].is_file() == archives[1].is_file()
    if archives[0].is_file():
        assert archives[0].read_bytes() == archives[1].read_bytes()


class At(SilentProgress):
    """Does something in another thread, a moment after a generation is done."""

    def __init__(self, generation: int, action: Callable[[], None]) -> None:
        self._generation, self._action = generation, action

    def tick(self, tick: Tick) -> None:
        """Start the clock once."""
        if tick.generation == self._generation:
            threading.Timer(0.02, self._action).start()


@pytest.mark.cluster
@pytest.mark.parametrize("pairs", [2, 3, 25])
def test_how_work_is_cut_for_workers_leaves_no_trace(
    config: RunConfig, without_workers: RunOutcome, tmp_path: Path, pairs: int
) -> None:
    cut = override_config(config, [f"pairs_per_shard={pairs}"])
    outcome = run_with(RayExecutor(on_cpus(2)), cut, tmp_path / "run", SilentProgress())
    assert_same_end(outcome, without_workers)


@pytest.mark.cluster
def test_one_worker_equals_none(
    config: RunConfig, without_workers: RunOutcome, tmp_path: Path
) -> None:
    outcome = run_with(RayExecutor(on_cpus(1)), config, tmp_path / "run", SilentProgress())
    assert_same_end(outcome, without_workers)


def test_two_workers_one_of_them_killed_equal_none(
    config: RunConfig, without_workers: RunOutcome, tmp_path: Path
) -> None:
    executor = RayExecutor(on_cpus(2))
    victim = executor.worker_pids()[0]
    kill = At(2, lambda: os.kill(victim, signal.SIGKILL))
    outcome = run_with(executor, config, tmp_path / "run", kill)
    assert_same_end(outcome, without_workers)
    assert outcome.last_evaluation is not None
    assert without_workers.last_evaluation is not None
    assert outcome.last_evaluation.entries == without_workers.last_evaluation.entries
    pedigrees = [run.run_dir / PEDIGREE_LOG_NAME for run in (outcome, without_workers)]
    assert pedigrees[0].is_file() == pedigrees[1].is_file()
    if pedigrees[0].is_file():
        assert pedigrees[0].read_bytes() == pedigrees[1].read_bytes()
    retried = [
        event.metrics["fault/retried_shards"]
        for event in read_journal(tmp_path / "run" / "journal.ndjson")[0]
        if isinstance(event, GenerationEvent)
    ]
    assert executor.retried_shards >= 1
    assert sum(retried) <= executor.retried_shards


@pytest.mark.cluster
def test_two_workers_one_of_them_frozen_equal_none(expected: list[Result]) -> None:
    executor = RayExecutor(on_cpus(2), deadline_s=1.5, first_deadline_s=3.0)
    frozen = None
    try:
        assert_same(executor.map(PROBLEM, CENTER_G, SHARDS, never), expected)
        frozen, before = executor.worker_pids()[0], executor.retried_shards
        os.kill(frozen, signal.SIGSTOP)
        assert_same(executor.map(PROBLEM, CENTER_G, SHARDS, never), expected)
        assert executor.retried_shards > before
    finally:
        executor.close()
        if frozen is not None and Path(f"/proc/{frozen}").exists():
            os.kill(frozen, signal.SIGKILL)


def test_workers_simulate_self_paced_tasks_as_the_driver_does(tmp_path: Path) -> None:
    """Banks travel as arrays, tasks that must be stepped as words."""
    problem = build_experiment(free_config(tmp_path)).problem
    center_G = tiny_genome(problem).center_G
    shards: list[Shard] = [
        *pair_shards(problem, ESConfig(popsize=8), 1, 4, 1),
        ReplicateShard(1, 1, 0, 2, True),
    ]
    executor = RayExecutor(on_cpus(2))
    try:
        theirs = executor.map(problem, center_G, shards, never)
    finally:
        executor.close()
    ours = InProcessExecutor().map(problem, center_G, shards, never)
    for shard, mine, other in zip(shards, ours, theirs, strict=True):
        for name, a, b in zip(mine._fields, mine, other, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{shard}: {name}")


@pytest.mark.cluster
def test_the_fused_engine_gives_the_same_on_one_thread_of_a_worker() -> None:
    problem = dataclasses.replace(PROBLEM, engine="cpu", threads=2)
    here = InProcessExecutor().map(problem, CENTER_G, SHARDS, never)
    executor = RayExecutor(on_cpus(2))
    try:
        assert_same(executor.map(problem, CENTER_G, SHARDS, never), here)
    finally:
        executor.close()


def simulate_badly(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
    """Wrong in generation 7, slow in 8, broken for one pair in 9."""
    if (
        shard.generation == 9
        and isinstance(shard, PopulationShard)
        and 10 in range(shard.proposal.first, shard.proposal.first + shard.lifetimes)
    ):
        raise ZeroDivisionError("pair 5 divides by zero")
    if shard.generation == 8:
        time.sleep(0.5)
    if shard.generation == 7:
        raise UsageError("this worker has no such engine")
    return run_shard(problem, center_G, shard)


class PoisonOnce:
    """Brings home a result of the wrong shape the first time that any process is asked."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __call__(self, problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        """Simulate the shard, or spoil it once."""
        result = run_shard(problem, center_G, shard)
        if isinstance(result, PopulationResult):
            try:
                self._marker.touch(exist_ok=False)
            except FileExistsError:
                return result
            return result._replace(loss_P=result.loss_P[:1])
        return result


@pytest.mark.cluster
def test_a_poisoned_result_is_refused_and_done_again(
    expected: list[Result], tmp_path: Path
) -> None:
    executor = RayExecutor(on_cpus(1), simulate=PoisonOnce(tmp_path / "poisoned"))
    try:
        assert_same(executor.map(PROBLEM, CENTER_G, SHARDS, never), expected)
        assert (tmp_path / "poisoned").exists()
        assert executor.retried_shards == 1
    finally:
        executor.close()


@pytest.mark.cluster
def test_errors_and_stops_come_through(expected: list[Result]) -> None:
    executor = RayExecutor(on_cpus(2), simulate=simulate_badly)
    try:
        with pytest.raises(ShardError, match=r"(?s)first=10, number=2\).*pair 5 divides by zero"):
            executor.map(PROBLEM, CENTER_G, pair_shards(PROBLEM, SEARCH, 9, 16, 1), never)
        with pytest.raises(UsageError, match="no such engine"):
            executor.map(PROBLEM, CENTER_G, pair_shards(PROBLEM, SEARCH, 7, 16, 1), never)
        began = time.monotonic()
        with pytest.raises(StopRequested):
            executor.map(
                PROBLEM,
                CENTER_G,
                pair_shards(PROBLEM, SEARCH, 8, 16, 1),
                lambda: time.monotonic() - began > 0.6,
            )
        assert_same(executor.map(PROBLEM, CENTER_G, SHARDS, never), expected)
    finally:
        executor.close()


def test_more_workers_than_this_machine_has_room_for_are_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    executor = RayExecutor(on_cpus(64))
    try:
        assert executor.workers == 2
    finally:
        executor.close()
    assert "64 workers were asked for, this machine has room for 2, each with 1 CPU" in caplog.text
    with pytest.raises(UsageError, match="3-64, and this machine has room for 2"):
        RayExecutor(WorkerRequest(least=3, most=64, gpus_per_worker=0))
    with pytest.raises(UsageError, match="--cpus-per-worker is 999, and no node has so many"):
        RayExecutor(WorkerRequest(cpus_per_worker=999))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_workers_settle_the_engine_or_say_why_it_cannot_run() -> None:
    problem = dataclasses.replace(PROBLEM, engine="auto")
    executor = RayExecutor(on_cpus(1))
    try:
        assert executor.settle(problem, never) == problem.chosen_engine
        assert executor.settle(dataclasses.replace(problem, engine="reference"), never) == (
            "reference"
        )
        with pytest.raises(UsageError, match=r"can do the work; .*'gpu' cannot run here: no CUDA"):
            executor.settle(dataclasses.replace(problem, engine="gpu"), never)
    finally:
        executor.close()
    with pytest.raises(UsageError, match=r"the engine is gpu, and no node .* has a GPU"):
        RayExecutor(1, engine="gpu")
    with pytest.raises(UsageError, match=r"--workers is num_gpus, and no node .* has a GPU"):
        RayExecutor("num_gpus")
