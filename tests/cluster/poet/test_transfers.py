"""Which genomes move, against what the two papers say, with rewards known beforehand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import Tensor

from cluster.poet.environments import PoetState, Transfer
from cluster.poet.transfers import transfer
from tests.cluster.poet.worlds import (
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

SCORES = [[0.5, 0.9, 0.4], [0.2, 0.6, 0.5], [0.1, 0.2, 0.7]]  # in environment e of genome a


def tournament(test: str, stepped: float, remembered: tuple[float, ...] = ()) -> PoetState:
    """All transfers among three pairs, where any genome after a step has a known score."""
    config = poet(transfer_test=test)
    state = scored(state_of(config, 3), SCORES)
    state = state.changed(
        replace(state.of(0), recent=(*remembered, 0.5)) if remembered else state.of(0)
    )
    known = {n: genome(n) for n in range(3)}

    def reward(task: str, own: Tensor) -> float:
        own_center = any(same(own, each) for each in known.values())
        return reward_for(0.3 if own_center else stepped) + unlike(own)

    return transfer(state, round_of(config, reward), known, make_search)


def accepted(state: PoetState) -> list[tuple[int, int, str]]:
    return [(each.source, each.target, each.kind) for each in state.transfers if each.accepted]


def test_both_needs_the_genome_to_be_better_as_it_is_and_after_a_step() -> None:
    state = tournament("both", stepped=0.8)
    assert accepted(state) == [(1, 0, "step")]
    moved = make_search(0).center(state.pairs[0])
    assert not any(same(moved, genome(n)) for n in range(3))
    assert same(make_search(0).center(state.pairs[1]), genome(1))
    assert state.of(0).recent == (pytest.approx(0.8),)
    assert state.score_EE[0, 0] == pytest.approx(0.8)
    assert state.score_EE[2, 0] != state.score_EE[2, 0], "what it reaches elsewhere is not known"
    assert state.score_EE[0, 1] == 0.9
    assert accepted(tournament("both", stepped=0.45)) == []


def test_either_takes_the_best_of_both_ways() -> None:
    assert accepted(tournament("either", stepped=0.45)) == [(1, 0, "direct")]
    assert same(make_search(0).center(tournament("either", 0.45).pairs[0]), genome(1))
    moves = accepted(tournament("either", stepped=0.8))
    assert [each[1:] for each in moves] == [(0, "direct"), (1, "step"), (2, "step")]


def test_all_of_the_latest_scores_have_to_be_exceeded() -> None:
    assert accepted(tournament("both", 0.92, remembered=(0.95,))) == []
    assert accepted(tournament("both", 0.92, remembered=(0.85,))) == [(1, 0, "step")]


def test_the_best_of_each_kind_is_written_down_whether_it_moves_or_not() -> None:
    state = tournament("both", stepped=0.45)
    direct = [each for each in state.transfers if each.kind == "direct"]
    assert direct == [
        Transfer(10, 1, 0, "direct", 0.9, 0.5, False),
        Transfer(10, 2, 1, "direct", 0.5, 0.6, False),
        Transfer(10, 1, 2, "direct", 0.2, 0.7, False),
    ]
    steps = [each for each in state.transfers if each.kind == "step"]
    assert [(each.source, each.target, each.accepted) for each in steps] == [(1, 0, False)]
