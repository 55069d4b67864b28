"""Who does which shard, with a crew that is only pretended: deaths, silence, comings and goings."""

from __future__ import annotations

import sys
from collections import deque
from dataclasses import replace
from types import FrameType

import numpy as np
import pytest

from cluster.executors import Result, Shard, ShardError, StopRequested
from cluster.workers.crew import Failed, Joined
from cluster.workers.dispatch import MAX_LOSSES, Dispatcher
from evoplastic.checks import UsageError
from evoplastic.lifetime.shards import PopulationResult
from evoplastic.search.config import ESConfig
from tests.cluster.tiny import tiny_genome, tiny_problem
from tests.cluster.workers.pretended import Act, PretendedCrew, at_once
from tests.evoplastic.lifetime.populations import pair_shards

PROBLEM = replace(tiny_problem(), engine="cpu")  # nothing is simulated
CENTER_G = tiny_genome(PROBLEM).center_G
SHARDS: list[Shard] = [*pair_shards(PROBLEM, ESConfig(popsize=48), 1, 24, 1)]


def mapped(dispatcher: Dispatcher) -> list[float]:
    """The individuals that all results speak of, in their order."""
    results: list[Result] = dispatcher.map(PROBLEM, CENTER_G, SHARDS, lambda: False)
    assert all(isinstance(result, PopulationResult) for result in results)
    return np.concatenate([result[0] for result in results]).tolist()


WHOLE = [float(number) for number in range(48)]


def made(workers: int, act: Act = at_once, **options: float) -> tuple[PretendedCrew, Dispatcher]:
    crew = PretendedCrew(workers, act)
    return crew, Dispatcher(crew, clock=lambda: crew.now_s, **{"piece_s": 0.0, **options})


@pytest.mark.parametrize("workers", [1, 2, 5, 100])
def test_results_come_in_order_and_everybody_has_work(workers: int) -> None:
    crew, dispatcher = made(workers)
    assert mapped(dispatcher) == mapped(dispatcher) == WHOLE
    assert dispatcher.retried_shards == 0
    assert len({worker for worker, _ in crew.handed}) == min(workers, 2 * len(SHARDS))


def test_the_dead_lose_their_shards_to_those_who_come() -> None:
    def die_young(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
        if worker < 3:
            crew.lose(worker)
            crew.hire()
        else:
            crew.answer(worker, ticket, shard)

    _, dispatcher = made(3, die_young)
    assert mapped(dispatcher) == WHOLE
    assert dispatcher.retried_shards >= 3


def test_nobody_there_is_waited_for_and_late_ones_get_work() -> None:
    crew, dispatcher = made(0)
    stops = iter([*[False] * 5, True])
    with pytest.raises(StopRequested):
        dispatcher.map(PROBLEM, CENTER_G, SHARDS, lambda: next(stops))
    crew.hire()
    assert mapped(dispatcher) == WHOLE


def test_the_silent_are_dismissed_after_their_deadline() -> None:
    def freeze(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
        if worker != 1:
            crew.answer(worker, ticket, shard)

    crew, dispatcher = made(2, freeze, deadline_s=5.0, first_deadline_s=50.0)
    assert mapped(dispatcher) == WHOLE
    assert crew.dismissed == [1]
    assert 50.0 < crew.now_s < 51.0


def test_a_shard_that_takes_its_workers_with_it_is_named() -> None:
    def deadly(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
        if shard is SHARDS[7]:
            crew.lose(worker)
            crew.hire()
        else:
            crew.answer(worker, ticket, shard)

    _, dispatcher = made(2, deadly)
    with pytest.raises(ShardError, match=rf"first=14.*took {MAX_LOSSES} workers"):
        mapped(dispatcher)


def test_an_error_leaves_a_crew_that_works_on() -> None:
    def raise_once(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
        if shard is SHARDS[3] and not any(other is shard for _, other in crew.handed[:-1]):
            crew.events.append(Failed(worker, ticket, UsageError("no such engine"), "no"))
            crew.hire()  # heard of after the error
        else:
            crew.answer(worker, ticket, shard)

    crew, dispatcher = made(1, raise_once)
    with pytest.raises(UsageError, match="no such engine"):
        mapped(dispatcher)
    assert mapped(dispatcher) == WHOLE
    assert {worker for worker, _ in crew.handed} == {0, 1}


def test_what_is_short_is_joined_and_what_is_left_is_shared() -> None:
    """Lifetimes take no time here, so that only fair shares limit a piece."""
    crew, dispatcher = made(3, piece_s=0.1)
    for _ in range(3):
        crew.handed.clear()
        assert mapped(dispatcher) == WHOLE
    assert [shard.lifetimes for _, shard in crew.handed] == [16, 16, 16]
    assert len({worker for worker, _ in crew.handed}) == 3


def test_few_shards_are_cut_for_many_workers() -> None:
    crew, dispatcher = made(6)
    whole: list[Shard] = [*pair_shards(PROBLEM, ESConfig(popsize=48), 1, 24, 24)]
    (result,) = dispatcher.map(PROBLEM, CENTER_G, whole, lambda: False)
    assert result[0].tolist() == WHOLE
    assert len({worker for worker, _ in crew.handed}) == 6
    sizes = [shard.lifetimes for _, shard in crew.handed]
    assert (sizes[0], sizes[-1]) == (4, 2)
    assert sizes == sorted(sizes, reverse=True)


def test_what_the_reference_engine_simulates_goes_out_as_it_was_asked_for() -> None:
    crew, dispatcher = made(3, piece_s=0.1)
    problem = replace(PROBLEM, engine="reference")
    shards: list[Shard] = [*pair_shards(PROBLEM, ESConfig(popsize=48), 1, 24, 5)]
    for _ in range(3):
        crew.handed.clear()
        dispatcher.map(problem, CENTER_G, shards, lambda: False)
    assert [shard for _, shard in crew.handed] == shards


@pytest.mark.parametrize("speeds", [(1.0, 1.0), (1.0, 0.25), (1.0, 1.0, 1.0, 0.5), (1.0, 0.1)])
def test_a_straggler_costs_little(speeds: tuple[float, ...]) -> None:
    """480 lifetimes of 10 ms: the time of a generation, beside that of perfect shares."""

    def work(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
        crew.answer_after(0.01 * shard.lifetimes / speeds[worker], worker, ticket, shard)

    crew, dispatcher = made(len(speeds), work, piece_s=0.1)
    shards: list[Shard] = [*pair_shards(PROBLEM, ESConfig(popsize=480), 1, 240, 25)]
    for _ in range(4):
        crew.handed.clear()
        began = crew.now_s
        dispatcher.map(PROBLEM, CENTER_G, shards, lambda: False)
    assert crew.now_s - began < 1.1 * 4.8 / sum(speeds)
    assert len(crew.handed) <= 48 + len(speeds)
    assert dispatcher.retried_shards == 0


@pytest.mark.parametrize(("room", "launches"), [(10**9, [16, 16, 16]), (10, [8] * 6)])
def test_a_gpu_gets_its_share_at_once(room: int, launches: list[int]) -> None:
    crew, dispatcher = made(3)
    crew.events = deque(Joined(n, 4 * PROBLEM.layout.size * room) for n in range(3))
    assert mapped(dispatcher) == mapped(dispatcher) == WHOLE
    assert [shard.lifetimes for _, shard in crew.handed] == 2 * launches


def test_a_lost_launch_goes_again_as_the_shards_that_were_asked_for() -> None:
    def die(crew: PretendedCrew, worker: int, ticket: int, shard: Shard) -> None:
        if worker == 0:
            crew.lose(worker)
        else:
            crew.answer(worker, ticket, shard)

    crew, dispatcher = made(2, die)
    crew.events = deque(Joined(n, 10**9) for n in range(2))
    assert mapped(dispatcher) == WHOLE
    assert dispatcher.retried_shards == 1
    assert sorted(shard.lifetimes for _, shard in crew.handed) == [2] * 12 + [24, 24]


def test_what_the_driver_does_grows_with_the_shards_alone() -> None:
    """Counted, not timed: calls of the crew, and lines of ours that run for a shard."""

    def cost(shards: int, workers: int) -> tuple[int, int]:
        crew, dispatcher = made(workers)
        search = ESConfig(popsize=2 * shards)
        many: list[Shard] = [*pair_shards(PROBLEM, search, 1, shards, 1)]
        dispatcher.map(PROBLEM, CENTER_G, many, lambda: False)  # all have joined
        crew.calls, calls = 0, 0

        def count(frame: FrameType, event: str, argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        sys.setprofile(count)
        try:
            dispatcher.map(PROBLEM, CENTER_G, many, lambda: False)
        finally:
            sys.setprofile(None)
        return crew.calls, calls

    small, large, crowded = cost(100, 10), cost(400, 10), cost(400, 1000)
    assert large[0] <= 4 * small[0] + 8
    assert large[1] <= 4.2 * small[1]
    assert crowded[1] <= 1.2 * large[1] + 20 * 1000
