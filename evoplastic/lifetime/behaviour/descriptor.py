"""What a descriptor is: a number of each lifetime, with its range and what must be recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.lifetime.batch import LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.recording import Recorded
from evoplastic.network.neurons import NeuronGroups

Float64Array = NDArray[np.float64]


class Lived(NamedTuple):
    """P lifetimes that are over."""

    params: PlasticParams
    groups: NeuronGroups
    config: LifetimeConfig
    result: LifetimeResult
    recorded: Recorded | None  # what the descriptors that are asked for need


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """One number of each lifetime.

    Raises:
        UsageError: a range that is none.
    """

    name: str
    title: str  # one sentence for listings
    unit: str
    lower: float  # range over which an archive has cells; what lies beyond is in the outermost
    upper: float
    of: Callable[[Lived], Float64Array]
    """The number [P] of each lifetime, NaN where there is none."""
    records: Literal["p", "mod"] | None = None
    """What must be recorded: plastic weights after the last trial, or the modulatory signal after
    every step."""

    def __post_init__(self) -> None:
        require(
            self.lower < self.upper,
            f"range of descriptor {self.name!r} is {self.lower} to {self.upper}, expected a lower "
            "number first",
        )
