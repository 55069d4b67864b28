"""Genomes that move between environments: a tournament of all of them in each.

For each environment, the genomes of all others are tried: as they are (direct), and after one step
of the search in it (step). One takes over if it exceeds all of the latest scores of the genome that
is there; with the test "both", as it is and again after the step, of those that pass the first;
with "either", in one of the two ways. All are tried before any moves.

Source: Wang et al. 2019, section 3.4 ("either", the latest score alone); Wang et al. 2020, section
3 ("both", the maximum of five).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from torch import Tensor

from cluster.poet.environments import KINDS, PoetState, Transfer
from cluster.poet.rounds import Round
from evoplastic.search.protocol import AnySearch


class Tried(NamedTuple):
    """A genome in another environment, with what it reached there."""

    target: int
    source: int
    genome_G: Tensor
    score: float


def transfer(
    state: PoetState,
    round_: Round,
    genomes: dict[int, Tensor],
    search_of: Callable[[int], AnySearch],
) -> PoetState:
    """The state after all transfers of this round.

    Args:
        state: with the scores of all active genomes in all active environments known.
        round_: what is found out.
        genomes: of active environments, by number.
        search_of: the search of each pair; it begins anew with a genome that moved.
    """
    bar = {number: max(state.of(number).recent) for number in genomes}
    direct = [
        Tried(target, source, genomes[source], float(state.score_EE[target, source]))
        for target in genomes
        for source in genomes
        if source != target
    ]
    both = round_.config.transfer_test == "both"
    step_of = [each for each in direct if not both or each.score > bar[each.target]]
    stepped = _stepped(state, round_, step_of)
    moves: dict[int, Tried] = {}
    rows: list[Transfer] = []
    for target in genomes:
        best = [_best(tried, target) for tried in (direct, stepped)]
        may_move = best[1:] if both else best
        passed = [each for each in may_move if each is not None and each.score > bar[target]]
        moved = max(passed, key=lambda each: each.score, default=None)
        if moved is not None:
            moves[target] = moved
        rows += [
            Transfer(
                generation=round_.generation,
                source=each.source,
                target=target,
                kind=kind,
                score=each.score,
                incumbent=bar[target],
                accepted=each is moved,
            )
            for kind, each in zip(KINDS, best, strict=False)
            if each is not None
        ]
    return _moved(replace(state, transfers=(*state.transfers, *rows)), moves, search_of)


def _stepped(state: PoetState, round_: Round, tries: list[Tried]) -> list[Tried]:
    """The same genomes after a step of the search in the environment, and what they then reach."""
    environments = [state.of(each.target) for each in tries]
    after = round_.steps(
        [
            (environment, each.source, each.genome_G)
            for environment, each in zip(environments, tries, strict=True)
        ]
    )
    scores = round_.scores(environments, after, [(at, at) for at in range(len(tries))])
    return [
        each._replace(genome_G=genome_G, score=score)
        for each, genome_G, score in zip(tries, after, scores.tolist(), strict=True)
    ]


def _best(tried: list[Tried], target: int) -> Tried | None:
    """Who reaches most in an environment, of equals the first."""
    there = [each for each in tried if each.target == target]
    return max(there, key=lambda each: each.score, default=None)


def _moved(
    state: PoetState, moves: dict[int, Tried], search_of: Callable[[int], AnySearch]
) -> PoetState:
    """The state with other genomes in some environments; their scores elsewhere are not known."""
    score_EE = state.score_EE.copy()
    pairs = dict(state.pairs)
    for target, tried in moves.items():
        pairs[target] = search_of(target).init(tried.genome_G)
        score_EE[:, target] = np.nan
        score_EE[target, target] = tried.score
    state = state.changed(
        *(replace(state.of(target), recent=(tried.score,)) for target, tried in moves.items())
    )
    return replace(state, pairs=pairs, score_EE=score_EE)
