"""What the first genome of a run is drawn from; defaults are those of Miconi (2023), ICML."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

from evoplastic.checks import SECTION, require


@dataclass(frozen=True, kw_only=True)
class GenomeConfig:
    """Where evolution starts from."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    init_gain: float = 1.5
    """First w ~ N(0, init_gain^2 / N)."""
    init_alpha: float = 0.5
    """First alpha, the same everywhere."""
    reflex: float = 0.0
    """First w from the two feedback neurons f onto modulatory ones k: (-1)^(k + f) times this, so
    that opposed feedback moves the network's own signal from birth on; 0 means none."""

    scales: dict[str, Any] = field(default_factory=dict, hash=False)
    """Size of mutations by the field's name, times the search's own, fields of a section below its
    name: {w: 0.5, rule: {A: 2}}; those not named are as the field has them, w and alpha 1. Groups
    of neurons can have their own: {w: {modulators: 0.1}} is what lies onto modulatory ones."""

    def __post_init__(self) -> None:
        require(self.init_gain > 0, f"init_gain is {self.init_gain}, expected more than 0")
        require(math.isfinite(self.reflex), f"reflex is {self.reflex}, expected a finite number")
        require(self.init_alpha >= 0, f"init_alpha is {self.init_alpha}, expected 0 or more")
        for name, scale in self.scale_of_fields.items():
            require(
                type(scale) in (int, float) and math.isfinite(scale) and scale > 0,
                f"scales.{name} is {scale!r:.40}, expected a number above 0",
            )

    @property
    def scale_of_fields(self) -> dict[str, float]:
        """The sizes of mutations by the full names of fields: `rule.A`."""
        found: dict[str, float] = {}
        for name, chosen in self.scales.items():
            if isinstance(chosen, dict):
                found |= {f"{name}.{number}": scale for number, scale in chosen.items()}
            else:
                found[name] = chosen
        return found
