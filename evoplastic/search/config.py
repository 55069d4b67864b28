"""Options of the evolution strategy; defaults are those of Miconi (2023), ICML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from evoplastic.checks import SECTION, require

Shaping = Literal["raw", "centered"]


@dataclass(frozen=True, kw_only=True)
class ESConfig:
    """Antithetic evolution strategy with a fixed standard deviation and Adam."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["es"] = "es"
    """Which search."""
    popsize: int = 500
    """P, individuals of a generation: popsize / 2 antithetic pairs."""
    sigma: float = 0.03
    """Standard deviation of a mutation, times the scale of its field; never changes."""
    learning_rate: float = 0.01
    """Adam's step."""
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

    @property
    def num_pairs(self) -> int:
        """Antithetic pairs of a generation."""
        return self.popsize // 2
