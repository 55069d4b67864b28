"""Options of the evolution strategy; defaults are those of Miconi (2023), ICML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from evoplastic.checks import SECTION, require

Shaping = Literal["raw", "centered"]


@dataclass(frozen=True, kw_only=True)
class ESConfig:
    """Antithetic evolution strategy with Adam; sigma and learning rate are constant or annealed."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["es"] = "es"
    """Which search."""
    popsize: int = 500
    """P, individuals of a generation: popsize / 2 antithetic pairs."""
    sigma: float = 0.03
    """Standard deviation of a mutation, times the scale of its field."""
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
    """Pair 0 is the bare center, as published; it pulls nowhere and shows the center's own loss."""

    def __post_init__(self) -> None:
        smallest = 4 if self.unmutated_pair else 2
        require(
            self.popsize % 2 == 0,
            f"popsize is {self.popsize}, expected an even number: individuals "
            "come in antithetic pairs",
        )
        require(
            self.popsize >= smallest,
            f"popsize is {self.popsize}, expected at least {smallest}"
            + (" (pair 0 is the bare center)" if self.unmutated_pair else ""),
        )
        for name in ("sigma", "learning_rate", "epsilon"):
            value = getattr(self, name)
            require(value > 0, f"{name} is {value}, expected more than 0")
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{name} is {value}, expected a share in [0, 1)")
        require(self.weight_decay >= 0, f"weight_decay is {self.weight_decay}, expected 0 or more")
        self._require_annealing()

    def _require_annealing(self) -> None:
        over = self.annealing_generations
        require(over >= 0, f"annealing_generations is {over}, expected 0 or more")
        last = {name: getattr(self, name) for name in ("last_sigma", "last_learning_rate")}
        for name, value in last.items():
            require(value is None or value > 0, f"{name} is {value}, expected more than 0")
        chosen = [name for name, value in last.items() if value is not None]
        require(
            not chosen or over > 0,
            f"{' and '.join(chosen)} would never be reached, since annealing_generations is 0; set "
            "it to the generations that this takes",
        )
        require(
            bool(chosen) or over == 0,
            f"annealing_generations is {over}, but nothing changes over them; set last_sigma or "
            "last_learning_rate, or annealing_generations to 0",
        )

    @property
    def num_pairs(self) -> int:
        """Antithetic pairs of a generation."""
        return self.popsize // 2

    def sigma_at(self, generation: int) -> float:
        """Sigma of a generation's mutations: sigma (last_sigma / sigma)^(generation / annealing).

        >>> config = ESConfig(sigma=0.08, last_sigma=0.02, annealing_generations=10)
        >>> [round(config.sigma_at(generation), 6) for generation in (0, 5, 10, 20)]
        [0.08, 0.04, 0.02, 0.02]
        """
        return self._annealed(self.sigma, self.last_sigma, generation)

    def learning_rate_at(self, generation: int) -> float:
        """Adam's step after a generation; see `sigma_at`."""
        return self._annealed(self.learning_rate, self.last_learning_rate, generation)

    def _annealed(self, first: float, last: float | None, generation: int) -> float:
        if last is None or generation == 0:
            return first
        if generation >= self.annealing_generations:
            return last
        return first * (last / first) ** (generation / self.annealing_generations)
