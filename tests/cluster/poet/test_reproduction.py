"""Children of environments: who has some, which are admitted, with whose genome, and who leaves."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from torch import Tensor

from cluster.poet.environments import PoetState
from cluster.poet.reproduction import reproduce
from tasks.machines.evolving.limits import Limits, identity
from tests.cluster.poet.worlds import (
    Reward,
    genome,
    make_search,
    poet,
    reward_for,
    round_of,
    same,
    scored,
    state_of,
    unlike,
)

LIMITS = Limits(stimuli=6)


@lru_cache
def born(reward: Reward, forbidden: frozenset[str] = frozenset(), **options: object) -> PoetState:
    """Two active pairs after a round; in every environment both genomes have known scores."""
    config = poet(**options)
    state = scored(state_of(config, 2), [[0.6, 0.3], [0.2, 0.4]])
    known = {n: genome(n) for n in range(2)}
    return reproduce(state, round_of(config, reward), known, LIMITS, forbidden, make_search)


def level(task: str, own: Tensor) -> float:
    return reward_for(0.5)


def constant(reward: float, task: str, own: Tensor) -> float:
    return reward


def test_a_child_is_a_sound_new_meta_task_with_its_parent_and_its_levels() -> None:
    state = born(level)
    child = state.environments[-1]
    assert len(state.environments) == 3
    assert (child.name, child.task.name, child.born) == ("e2", "e2", 10)
    assert child.parent in (0, 1)
    assert child.form == identity(child.task) != identity(state.of(0).task)
    assert child.levels.adaptive - child.levels.fixed > 0.1
    assert child.novelty is not None
    assert not np.isnan(state.score_EE[2, :2]).any()
    assert np.isnan(state.score_EE[:, 2]).all(), "its own genome has met nothing yet"


def test_only_environments_whose_genome_does_well_have_children() -> None:
    assert born(level, reproduce=0.5).environments[-1].parent == 0
    assert len(born(level, reproduce=0.7).environments) == 2


def test_what_is_too_easy_or_too_hard_for_the_parent_is_not_admitted() -> None:
    for reward in (5.0, -5.0):
        state = born(partial(constant, reward), minimal_criterion=(0.4, 0.6))
        assert len(state.environments) == 2


def test_held_out_tasks_are_never_born() -> None:
    first = born(level, children=1).environments[-1].form
    other = born(level, frozenset({first}), children=1).environments[-1].form
    assert first != other


def test_with_transfers_a_child_begins_with_the_best_genome_or_a_step_of_it() -> None:
    strong = genome(1)

    def reward(task: str, own: Tensor) -> float:
        fits = same(own, strong)
        return 0.6 if fits else 0.5 if same(own, genome(0)) else 0.1 + unlike(own)

    state = born(reward, admitted=1)
    birth = state.transfers[-1]
    assert (birth.source, birth.target, birth.kind, birth.accepted) == (1, 2, "birth", True)
    assert same(make_search(2).center(state.pairs[2]), strong), "the step makes it worse"

    alone = born(reward, transfers=False, reproduce=0.5)
    assert alone.environments[-1].parent == 0
    assert same(make_search(2).center(alone.pairs[2]), genome(0)), "its parent's, as it is"

    better = born(lambda task, own: reward(task, own) + 0.6 * (reward(task, own) < 0.5))
    begun = make_search(2).center(better.pairs[2])
    assert not same(begun, strong)
    assert not same(begun, genome(0))


def test_where_there_is_no_room_the_oldest_goes_into_the_archive() -> None:
    state = born(level, capacity=2)
    assert state.active == [1, 2]
    assert state.of(0).retired == 10
    assert same(state.archived[0], genome(0))
    assert state.leader in state.active


def test_what_counts_for_annecs_is_neither_easy_nor_hard_for_anybody() -> None:
    assert born(level).environments[-1].counts
    state = born(
        lambda task, own: 9.0 if same(own, genome(1)) else 0.6, transfers=False, reproduce=0.5
    )
    assert not any(each.counts for each in state.environments), "genome 1 finds every child easy"
    solved = replace(born(level).environments[-1], solved=12)
    assert born(level).annecs == 0
    assert born(level).changed(solved).annecs == 1
