"""What an algorithm is to its adapter: functions of named tensors that draw from torch's generator.

The adapter seeds the generator by run seed and generation before it calls `sample` or `told`, so
that both draw the same numbers and nothing is remembered outside of the tensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from torch import Tensor

from evoplastic.checks import require
from evoplastic.search.adapted.coordinates import Bounds
from evoplastic.search.protocol import Float64Array

Tensors = dict[str, Tensor]
FLOAT32_BYTES = 4


class Algorithm(ABC):
    """One of EvoTorch's with its settings, over F numbers; abstract."""

    center_name = "center_F"  # the tensor that stands for the search
    instead = ""  # what to do where matrices do not fit

    def __init__(self, options: Any, size: int) -> None:
        """Take the options, which have `name`, `popsize`, `lifetimes`, `sigma`; and F."""
        self.options, self.size = options, size

    @abstractmethod
    def first(self, seed: int, bounds: Bounds) -> Tensors:
        """The tensors of a search that has taken no step."""

    @abstractmethod
    def sample(self, tensors: Tensors, bounds: Bounds) -> Tensor:
        """The individuals [P, F] of a generation."""

    @abstractmethod
    def told(self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array) -> Tensors:
        """The next tensors, given the losses of what `sample` draws; all are finite."""

    @abstractmethod
    def stdev(self, tensors: Tensors) -> float:
        """How far individuals lie apart: the root mean square over the numbers."""

    def told_beside(
        self, tensors: Tensors, bounds: Bounds, loss_P: Float64Array, beside_PX: Float64Array
    ) -> Tensors:
        """The next tensors, given losses and what was asked for beside them: by default no more."""
        return self.told(tensors, bounds, loss_P)

    def numbers(self, tensors: Tensors) -> dict[str, float]:
        """What else the journal is told, by metric name."""
        return {}

    def informs(self, loss_P: Float64Array) -> bool:
        """Whether finite losses say anything about where to go."""
        return bool(np.ptp(loss_P) > 0)

    @property
    def matrix_bytes(self) -> int:
        """Memory for what grows with F * F."""
        return 0


def require_common(options: Any, least: int = 2) -> None:
    """Check the options that all adapted searches have.

    Raises:
        UsageError: naming the option.
    """
    require(options.popsize >= least, f"popsize is {options.popsize}, expected at least {least}")
    require(options.lifetimes >= 1, f"lifetimes is {options.lifetimes}, expected at least 1")
    require(options.sigma > 0, f"sigma is {options.sigma}, expected more than 0")


def require_share(name: str, value: float) -> None:
    """Check an option that is a share, more than 0 and at most 1.

    Raises:
        UsageError: naming the option.
    """
    require(0 < value <= 1, f"{name} is {value}, expected a share in (0, 1]")
