"""How meta-tasks evolve beside genomes, where they do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from cluster.config.sections import Section
from evoplastic.checks import require
from tasks.machines.generated.canonical import MOST_STATES


class PoetConfig(Section):
    """POET: environments evolve, each with a genome that learns it. The training tasks of the suite
    are the first environments. A score is the reward of the last trials of a lifetime: 0 is that of
    the best policy that does not learn, 1 that of the best one that does."""

    capacity: int = Field(default=8, ge=1, le=1024)
    """Pairs that are active at most; where there are more, the oldest go into the archive."""
    mutate_every: int = Field(default=25, ge=1)
    """Generations from one time that environments have children to the next."""
    children: int = Field(default=6, ge=1, le=1024)
    """Mutants that are tried each time."""
    admitted: int = Field(default=1, ge=1)
    """Children that become environments each time at most, the newest kinds first."""
    reproduce: float = 0.5
    """Score that a genome has to reach in its environment before that has children."""
    minimal_criterion: tuple[float, float] = (0.1, 0.7)
    """Scores from the first to the second are neither too hard nor too easy for a child."""
    solved: float = 0.8
    """Score from which an environment is solved."""
    nearest: int = Field(default=5, ge=1)
    """Environments, active or archived, to which a child's mean distance is its novelty."""
    transfers: bool = True
    """Whether genomes move between environments; false is the control."""
    transfer_every: int = Field(default=25, ge=1)
    """Generations from one time that all genomes are scored in all active environments to the next,
    and move if they may."""
    transfer_test: Literal["both", "either"] = "both"
    """When another genome takes over: it has to be better as it is and again after a step of the
    search (both, Enhanced POET), or in one of the two ways (either, POET)."""
    remembered: int = Field(default=5, ge=1)
    """Latest scores of a genome in its environment, all of which another one has to exceed; 1 as in
    POET, 5 as in Enhanced POET."""
    lifetimes: int = Field(default=8, ge=1)
    """Lifetimes of a genome that a score is the mean of."""
    gap: float = Field(default=0.1, ge=0)
    """Reward of a trial that the best adaptive policy must have above the best fixed one."""
    states: int = Field(default=5, ge=2, le=MOST_STATES)
    """States of an environment at most."""
    steps: int = Field(default=5, ge=1, le=64)
    """Actions of a trial at most."""
    rewards: int = Field(default=4, ge=1, le=16)
    """Rules of reward of an environment at most."""

    @model_validator(mode="after")
    def _scores_are_in_order(self) -> PoetConfig:
        low, high = self.minimal_criterion
        require(
            low < high,
            f"poet.minimal_criterion is [{low:g}, {high:g}], expected the lower score first",
        )
        require(
            high <= self.solved,
            f"poet.solved is {self.solved:g}, expected at least the upper end of "
            f"poet.minimal_criterion, {high:g}, so that no child is solved when it is admitted",
        )
        require(
            self.admitted <= min(self.children, self.capacity),
            f"poet.admitted is {self.admitted}, expected at most poet.children = {self.children} "
            f"and poet.capacity = {self.capacity}",
        )
        return self
