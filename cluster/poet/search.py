"""POET as a search: every generation each pair takes a step of its own search in its environment.

In some generations, before that, environments have children (`reproduction.py`), and genomes move
between environments (`transfers.py`). Scores are needed for both: of all active genomes in all
active environments, and where there are children also in archived ones. What is the center of a run
is the genome of the pair that scores best over all active environments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cluster.config.poet import PoetConfig
from cluster.poet.environments import Environment, PoetState
from cluster.poet.reproduction import reproduce
from cluster.poet.rounds import Meet, Round, pair_seed
from cluster.poet.tensors import from_tensors, to_tensors
from cluster.poet.transfers import transfer
from evoplastic.records.names import (
    POET_ACTIVE,
    POET_ANNECS,
    POET_CREATED,
    POET_SCORE,
    POET_SOLVED,
    POET_TRANSFERS,
)
from evoplastic.search.protocol import AnySearch, Float64Array, Proposal, Told
from evoplastic.search.together import Part, Together, together
from evoplastic.trials.table import TrialTable
from evoplastic.types import Int64Array
from tasks.machines.evolving.limits import Limits
from tasks.machines.metatasks.form import MetaTask


@dataclass(frozen=True, kw_only=True)
class World:
    """What environments have to fit, and what they begin with."""

    limits: Limits
    seeds: tuple[Environment, ...]
    forbidden: frozenset[str]  # identities of held-out tasks
    digest: str


class Paired:
    """The curriculum of POET: a group is the environment that it belongs to."""

    def tasks_of(self, generation: int, group_P: Int64Array) -> Int64Array:
        """Index [P] into the environments of the generation."""
        return group_P


class Poet:
    """Pairs of environments and genomes; final."""

    def __init__(
        self,
        config: PoetConfig,
        world: World,
        make_search: Callable[[int], AnySearch],
        table_at: Callable[[MetaTask, int], TrialTable],
        *,
        seed: int,
    ) -> None:
        """Take options and the first environments.

        Args:
            config: how environments evolve.
            world: what they begin with.
            make_search: a search of a seed.
            table_at: the trials of a meta-task for a generation.
            seed: run seed.
        """
        self._config, self._world, self._seed = config, world, seed
        self._make_search, self._table_at = make_search, table_at
        self._searches: dict[int, AnySearch] = {}

    def _search_of(self, number: int) -> AnySearch:
        """The search of a pair: its seed is its own."""
        if number not in self._searches:
            self._searches[number] = self._make_search(pair_seed(self._seed, number))
        return self._searches[number]

    @property
    def popsize(self) -> int:
        """Individuals of a generation once there are as many pairs as may be."""
        return self._config.capacity * self._search_of(0).popsize

    def init(self, center_G: Tensor) -> PoetState:
        """A pair for each of the first environments, all with one genome."""
        seeds = self._world.seeds
        return PoetState(
            environments=seeds,
            pairs={each.number: self._search_of(each.number).init(center_G) for each in seeds},
            archived={},
            score_EE=np.full((len(seeds), len(seeds)), np.nan),
        )

    def ask(self, state: PoetState, generation: int) -> Together:
        """The individuals of all pairs."""
        return together(
            generation,
            [
                Part(self._search_of(number).ask(own, generation), place, place)
                for place, (number, own) in enumerate(state.pairs.items())
            ],
        )

    def tell(self, state: PoetState, proposal: Proposal, loss_P: Float64Array) -> Told[PoetState]:
        """Let each pair take its step."""
        assert isinstance(proposal, Together)
        told = {
            number: self._search_of(number).tell(own, part.proposal, loss_P[begin:end])
            for (number, own), part, (begin, end) in zip(
                state.pairs.items(), proposal.parts, proposal.spans(), strict=True
            )
        }
        state = replace(state, pairs={number: each.state for number, each in told.items()})
        of_searches: dict[str, list[float]] = {}
        for each in told.values():
            for name, value in each.numbers.items():
                of_searches.setdefault(name, []).append(value)
        return Told(
            state,
            any(each.pulled for each in told.values()),
            sum(each.num_failed for each in told.values()),
            {name: float(np.mean(values)) for name, values in of_searches.items()}
            | numbers_of(state),
        )

    def center(self, state: PoetState) -> Tensor:
        """The genome of the pair that scored best over all active environments."""
        return self._genome(state, state.leader)

    def centers(self, state: PoetState) -> Tensor:
        """The genomes of all pairs [C, G], oldest first."""
        return torch.stack([self._genome(state, number) for number in state.pairs])

    def genomes(self, state: PoetState) -> dict[int, Tensor]:
        """The genome of each environment, archived ones too."""
        active = {number: self._genome(state, number) for number in state.pairs}
        return dict(sorted((active | state.archived).items()))

    def tables(self, state: PoetState, generation: int) -> tuple[TrialTable, ...]:
        """The trials of all active environments, oldest first."""
        return tuple(self._table_at(state.of(each).task, generation) for each in state.pairs)

    def tensors(self, state: PoetState) -> dict[str, Tensor]:
        """All that the state holds, by name."""
        return to_tensors(state, self._world.digest, self._search_of)

    def restore(self, tensors: Mapping[str, Tensor]) -> PoetState:
        """The state of these tensors.

        Raises:
            UsageError: they are not those of POET, or of another world.
        """
        return from_tensors(tensors, self._world.digest, self._search_of)

    def warm_up(self, state: PoetState) -> None:
        """Load what the search of a pair needs."""
        number, own = next(iter(state.pairs.items()))
        self._search_of(number).warm_up(own)

    def renew(self, state: PoetState, generation: int, meet: Meet) -> PoetState:
        """The state with which a generation begins: children and transfers, where they are due.

        Args:
            state: after the generation before.
            generation: that is about to begin.
            meet: lets individuals meet tasks.
        """
        mutates, moves = (
            generation > 0 and generation % every == 0
            for every in (self._config.mutate_every, self._config.transfer_every)
        )
        if not mutates and not moves:
            return state
        round_ = Round(
            generation,
            self._config,
            self._seed,
            meet,
            lambda task: self._table_at(task, generation),
            self._make_search,
        )
        state = self._scored(state, round_, everywhere=mutates)
        if mutates:
            state = reproduce(
                state,
                round_,
                self.genomes(state),
                self._world.limits,
                self._world.forbidden,
                self._search_of,
            )
        if moves and self._config.transfers and len(state.pairs) > 1:
            if mutates:
                state = self._scored(state, round_, everywhere=False, lacking=True)
            genomes = self.genomes(state)
            there = {number: genomes[number] for number in state.pairs}
            state = transfer(state, round_, there, self._search_of)
        return state

    def _scored(
        self, state: PoetState, round_: Round, *, everywhere: bool, lacking: bool = False
    ) -> PoetState:
        """The state with what genomes reach now, and what is solved.

        Args:
            state: before.
            round_: what is found out.
            everywhere: in archived environments too, and archived genomes where they have not met.
            lacking: only what is not known.
        """
        genomes, active = self.genomes(state), set(state.pairs)
        cells = [
            (e, a)
            for e in (range(len(state.environments)) if everywhere else state.active)
            for a in (genomes if everywhere else state.active)
            if (a in active and not lacking) or np.isnan(state.score_EE[e, a])
        ]
        score_EE = state.score_EE.copy()
        found = round_.scores(state.environments, list(genomes.values()), cells)
        score_EE[tuple(np.array(cells, dtype=np.int64).reshape(-1, 2).T)] = found
        new = {e for e, a in cells if e == a}
        environments = [
            _judged(each, score_EE[each.number], state.active, round_, fresh=each.number in new)
            for each in state.environments
        ]
        mean_A = {a: float(score_EE[state.active, a].mean()) for a in state.active}
        leader = max(mean_A, key=lambda a: (mean_A[a], -a))
        return replace(state.changed(*environments), score_EE=score_EE, leader=leader)

    def _genome(self, state: PoetState, number: int) -> Tensor:
        return self._search_of(number).center(state.pairs[number])


def _judged(
    each: Environment, score_A: Float64Array, active: Sequence[int], round_: Round, *, fresh: bool
) -> Environment:
    """An environment with the latest score of its genome; solved, if an active genome solves it."""
    if fresh and each.number in active:
        each = each.seen(float(score_A[each.number]), round_.config.remembered)
    known = [a for a in active if score_A[a] >= round_.config.solved]  # unknown ones are NaN
    if each.solved is not None or not known:
        return each
    solver = each.number if each.number in known else max(known, key=lambda a: (score_A[a], -a))
    return replace(each, solved=round_.generation, solver=solver)


def numbers_of(state: PoetState) -> dict[str, float]:
    """What the journal tells of a state, by metric name."""
    own = [state.of(number).recent[-1] for number in state.pairs if state.of(number).recent]
    moved = sum(each.accepted and each.kind != "birth" for each in state.transfers)
    return {
        POET_ACTIVE: float(len(state.pairs)),
        POET_CREATED: float(sum(each.parent is not None for each in state.environments)),
        POET_SOLVED: float(sum(each.solved is not None for each in state.environments)),
        POET_ANNECS: float(state.annecs),
        POET_TRANSFERS: float(moved),
        **({POET_SCORE: float(np.mean(own))} if own else {}),
    }
