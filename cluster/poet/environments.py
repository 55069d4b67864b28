"""Environments, and the state of a run of POET: pairs, archive, scores and transfers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tasks.machines.generated.filters import Levels
from tasks.machines.metatasks.form import MetaTask

Kind = Literal["direct", "step", "birth"]
KINDS: tuple[Kind, ...] = ("direct", "step", "birth")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A meta-task in the run, from its birth on. Generations count updates, as everywhere."""

    number: int
    task: MetaTask
    levels: Levels
    form: str  # its identity but for names
    parent: int | None = None  # number of the environment it is a mutant of; None = of the suite
    born: int = 0
    retired: int | None = None
    novelty: float | None = None  # at birth
    counts: bool = False  # for ANNECS, once it is solved
    solved: int | None = None  # generation in which it was first seen to be
    solver: int | None = None  # environment whose genome solved it
    recent: tuple[float, ...] = ()  # latest scores of its own genome, the newest last

    @property
    def name(self) -> str:
        """What it is called: in files, tables, and after `RUN@`."""
        return name_of(self.number)

    def score(self, reward: float) -> float:
        """A mean reward of a trial as a score: 0 = best fixed policy, 1 = best adaptive one."""
        fixed, adaptive = self.levels.fixed, self.levels.adaptive
        return (reward - fixed) / (adaptive - fixed)

    def reward(self, score: float) -> float:
        """What is paid where a score is reached."""
        fixed, adaptive = self.levels.fixed, self.levels.adaptive
        return fixed + score * (adaptive - fixed)

    def seen(self, score: float, remembered: int) -> Environment:
        """With a further score of its own genome."""
        return replace(self, recent=(*self.recent, score)[-remembered:])


class Transfer(NamedTuple):
    """A genome that was tried in another environment than its own."""

    generation: int
    source: int  # environment that the genome comes from
    target: int
    kind: Kind
    score: float
    incumbent: float  # score that it had to exceed
    accepted: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class PoetState:
    """All that a run of POET goes on from."""

    environments: tuple[Environment, ...]  # by number, archived ones too
    pairs: dict[int, Any]  # search state of each active environment, oldest first
    archived: dict[int, Tensor]  # last genome of each retired one
    score_EE: NDArray[np.float64]  # in environment e of the genome of another; NaN = not known
    transfers: tuple[Transfer, ...] = ()
    leader: int = 0  # whose genome stands for the run

    @property
    def active(self) -> list[int]:
        """Numbers of the active environments."""
        return list(self.pairs)

    @property
    def annecs(self) -> int:
        """Accumulated number of novel environments created and solved."""
        return sum(each.counts and each.solved is not None for each in self.environments)

    def of(self, number: int) -> Environment:
        """The environment of that number."""
        return self.environments[number]

    def changed(self, *environments: Environment) -> PoetState:
        """With some environments as they are now."""
        known = list(self.environments)
        for each in environments:
            known[each.number] = each
        return replace(self, environments=tuple(known))


def name_of(number: int) -> str:
    """The name of an environment.

    >>> name_of(7)
    'e7'
    """
    return f"e{number}"
