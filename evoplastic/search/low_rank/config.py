"""Options of the low-rank evolution strategy."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from evoplastic.checks import SECTION, require
from evoplastic.search.config import ESConfig, Shaping


@dataclass(frozen=True, kw_only=True)
class LowRankESConfig:
    """Evolution strategy whose mutations of a matrix have rank r; pairs and steps as in `es`."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["low_rank_es"] = "low_rank_es"
    """Which search."""
    rank: int = 1
    """r, rank of a mutation of a matrix; one that this does not make smaller mutates in full."""
    popsize: int = 500
    """P, individuals of a generation: popsize / 2 antithetic pairs."""
    sigma: float = 0.03
    """Standard deviation of a number's mutation, times the scale of its field."""
    learning_rate: float = 0.01
    """Adam's step."""
    annealing_generations: int = 0
    """Generations over which sigma and learning_rate go to their last values, by the same factor
    from each to the next; from then on they stay. 0 means that they never change."""
    last_sigma: float | None = None
    """What sigma comes to; none means that it never changes."""
    last_learning_rate: float | None = None
    """What learning_rate comes to; none means that it never changes."""
    beta1: float = 0.9
    """Adam's decay of the mean gradient."""
    beta2: float = 0.999
    """Adam's decay of the mean squared gradient."""
    epsilon: float = 1e-8
    """Added to Adam's root of the mean squared gradient."""
    weight_decay: float = 3e-4
    """Times the center, added to the gradient before Adam's moments (L2, not decoupled)."""
    shaping: Shaping = "raw"
    """"raw": losses as they are; "centered": ranks within [-0.5, 0.5], ties averaged."""
    unmutated_pair: bool = True
    """Pair 0 is the bare center; it pulls nowhere and shows the center's own loss."""

    def __post_init__(self) -> None:
        require(self.rank >= 1, f"rank is {self.rank}, expected at least 1")
        _ = self.es  # which checks the others

    @property
    def es(self) -> ESConfig:
        """The same of a search whose mutations have full rank."""
        shared = {each.name for each in fields(ESConfig)} - {"name"}
        return ESConfig(**{name: getattr(self, name) for name in shared})
