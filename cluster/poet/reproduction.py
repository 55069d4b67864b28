"""Environments have children, and the newest kinds of them become environments.

1. Environments whose genome scores at least `reproduce` are parents; of their mutants, those that
   pass the cheap filters of generated meta-tasks, and are no known or held-out one, are tried.
2. Children are those in which their parent's genome meets the minimal criterion, and which pass
   the last filter, too: that learning brings enough.
3. Children are ordered by novelty (PATA-EC over all active and archived genomes and environments).
4. With transfers, a child gets the genome that scores best in it of all active ones, or that one
   after a step of the search; else its parent's. It is admitted if that meets the criterion, too.
5. Where there are more than `capacity`, the oldest environment goes into the archive.

Source: Wang et al. 2019, Algorithm 2; Wang et al. 2020, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from cluster.poet.environments import Environment, PoetState, Transfer, name_of
from cluster.poet.novelty import Criterion, counts_for_annecs, novelty
from cluster.poet.rounds import Round
from evoplastic.random.counters import Purpose
from evoplastic.search.protocol import AnySearch
from tasks.machines.dice import Dice
from tasks.machines.evolving.judging import Screened, measured, screened
from tasks.machines.evolving.limits import Limits
from tasks.machines.evolving.mutation import mutate
from tasks.machines.generated.filters import Levels

TRIES = 8  # mutants for each child that is asked for
SOURCE = "evolved with the genomes that learn it (POET, Wang et al. 2019)"


def reproduce(
    state: PoetState,
    round_: Round,
    genomes: dict[int, Tensor],
    limits: Limits,
    forbidden: Collection[str],
    search_of: Callable[[int], AnySearch],
) -> PoetState:
    """The state with the children of this round.

    Args:
        state: with all scores known.
        round_: what is found out.
        genomes: of active and archived environments, by number.
        limits: of mutants.
        forbidden: identities that no child may have, those of held-out tasks.
        search_of: the search of each pair.
    """
    config, numbers = round_.config, list(genomes)
    criterion = Criterion(*config.minimal_criterion)
    parents = [n for n in state.active if state.score_EE[n, n] >= config.reproduce]
    everybody = list(genomes.values())
    mutants = _mutants(state, parents, round_, limits, forbidden)
    cells = [(c, numbers.index(_parent(each))) for c, each in enumerate(mutants)]
    bound_C = round_.scores(mutants, everybody, cells).tolist()
    tried = [_child(*each, criterion, config.gap) for each in zip(mutants, bound_C, strict=True)]
    children = [each for each in tried if each is not None]
    if not children:
        return state
    cells = [(c, a) for c in range(len(children)) for a in range(len(numbers))]
    score_CA = round_.scores(children, everybody, cells).reshape(len(children), len(numbers))
    novelty_C = novelty(score_CA, state.score_EE[:, numbers], criterion, config.nearest)
    left = config.admitted
    for c in np.argsort(-novelty_C, kind="stable").tolist():
        if not left:
            break
        number = len(state.environments)
        child = replace(
            children[c],
            number=number,
            task=replace(children[c].task, name=name_of(number)),
            novelty=float(novelty_C[c]),
            counts=counts_for_annecs(score_CA[c], criterion),
        )
        known = dict(zip(numbers, score_CA[c].tolist(), strict=True))
        birth, genome_G = _first_genome(child, state, round_, genomes, known)
        if criterion.meets(birth.score):
            state = _with(state, child, known, birth, search_of(number).init(genome_G))
            left -= 1
    return _within_capacity(state, round_.generation, config.capacity, genomes)


def _mutants(
    state: PoetState,
    parents: Sequence[int],
    round_: Round,
    limits: Limits,
    forbidden: Collection[str],
) -> list[Environment]:
    """Mutants that pass the cheap filters, as many as are asked for if the draws lead to so many.

    Who knows the variables stands for the best adaptive policy, until that is found.
    """
    config, found = round_.config, list[Environment]()
    known = {*forbidden, *(each.form for each in state.environments)}
    for number in range(TRIES * config.children if parents else 0):
        dice = Dice(round_.seed, number, Purpose.COEVOLUTION, round_.generation)
        parent = state.of(dice.one_of(parents))
        mutant = mutate(parent.task, limits, dice)
        passed = None if mutant is None else screened(mutant, config.gap, known)
        if isinstance(passed, Screened):
            known.add(passed.form)
            about = f"A mutant of {parent.name}, of generation {round_.generation}."
            found.append(
                Environment(
                    number=len(state.environments),
                    task=replace(passed.task, about=about, source=SOURCE),
                    levels=Levels(passed.fixed, passed.oracle, "at least", 0.0, passed.oracle),
                    form=passed.form,
                    parent=parent.number,
                    born=round_.generation,
                )
            )
        if len(found) == config.children:
            break
    return found


def _child(
    mutant: Environment, bound: float, criterion: Criterion, gap: float
) -> Environment | None:
    """A mutant with its levels, if its parent's genome finds it neither too hard nor too easy.

    Args:
        mutant: with the outer levels alone.
        bound: the score of its parent's genome by these.
        criterion: that the score by all levels has to meet.
        gap: reward of a trial that learning has to bring.
    """
    if not criterion.may_meet(bound):
        return None
    outer = mutant.levels
    levels = measured(Screened(mutant.task, mutant.form, outer.fixed, outer.oracle), gap)
    if not isinstance(levels, Levels):
        return None
    child = replace(mutant, levels=levels)
    return child if criterion.meets(child.score(mutant.reward(bound))) else None


def _parent(child: Environment) -> int:
    assert child.parent is not None
    return child.parent


def _first_genome(
    child: Environment,
    state: PoetState,
    round_: Round,
    genomes: dict[int, Tensor],
    known: dict[int, float],
) -> tuple[Transfer, Tensor]:
    """The genome that a child begins with, and where it is from.

    Args:
        child: the environment.
        state: before it is there.
        round_: what is found out.
        genomes: of active and archived environments.
        known: their scores in the child.
    """
    generation, low = round_.generation, round_.config.minimal_criterion[0]
    source = _parent(child)
    if round_.config.transfers:
        there = [each for each in state.active if each in known]
        source = max(there, key=lambda each: (known[each], -each))
    genome_G, score = genomes[source], known[source]
    if round_.config.transfers:
        (stepped_G,) = round_.steps([(child, source, genome_G)])
        (after,) = round_.scores([child], [stepped_G], [(0, 0)]).tolist()
        if after > score:
            genome_G, score = stepped_G, after
    return Transfer(generation, source, child.number, "birth", score, low, True), genome_G


def _with(
    state: PoetState, child: Environment, known: dict[int, float], birth: Transfer, own: Any
) -> PoetState:
    """The state with one environment more, which everybody but its own genome has met."""
    size = len(state.environments)
    score_EE = np.full((size + 1, size + 1), np.nan)
    score_EE[:size, :size] = state.score_EE
    score_EE[size, list(known)] = list(known.values())
    return replace(
        state,
        environments=(*state.environments, child),
        pairs={**state.pairs, child.number: own},
        score_EE=score_EE,
        transfers=(*state.transfers, birth),
    )


def _within_capacity(
    state: PoetState, generation: int, capacity: int, genomes: dict[int, Tensor]
) -> PoetState:
    """The state without the oldest pairs, as far as there is no room."""
    gone = state.active[: max(len(state.pairs) - capacity, 0)]
    left = [each for each in state.active if each not in gone]
    state = state.changed(*(replace(state.of(each), retired=generation) for each in gone))
    return replace(
        state,
        pairs={each: state.pairs[each] for each in left},
        archived={**state.archived, **{each: genomes[each] for each in gone}},
        leader=state.leader if state.leader in left else left[0],
    )
