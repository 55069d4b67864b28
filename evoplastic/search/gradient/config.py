"""Options of the search `gradient`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from evoplastic.checks import SECTION, require, require_known
from evoplastic.search.asking import Objective, Unrolling

OBJECTIVES: tuple[Objective, ...] = ("loss", "reinforce")


@dataclass(frozen=True, kw_only=True)
class GradientConfig:
    """Gradient through whole lifetimes of the center, with Adam and gradient clipping."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: Literal["gradient"] = "gradient"
    """Which search."""
    popsize: int = 32
    """P, lifetimes of the center in a generation, each on a task and trials of its own."""
    objective: Objective = "loss"
    """What is differentiated: the loss of the scored trials, or with "reinforce" the chances of
    actions, which are drawn then, times the reward that followed on them."""
    learning_rate: float = 0.01
    """Adam's step."""
    clip_norm: float = 2.0
    """Largest norm of the mean gradient; a larger one is scaled down to it."""
    lifetime_clip_norm: float = 0.5
    """Largest norm of the gradient of one lifetime, before the mean is taken; a larger one is
    scaled down to it, so that no lifetime, chaotic as it may be, speaks for all."""
    beta1: float = 0.9
    """Adam's decay of the mean gradient."""
    beta2: float = 0.999
    """Adam's decay of the mean squared gradient."""
    trials: int | None = None
    """The last trials of a lifetime, which the gradient goes back through; none means all. What
    was learnt before them counts as given."""
    block: int = 1
    """Trials between two states that are kept; the trials of a block are lived a second time."""
    together: int = 4
    """Lifetimes that are unrolled at a time."""
    temperature: float = 0.1
    """With "reinforce": an action is drawn with the chance softmax(rate / temperature)."""
    discount: float = 0.9
    """With "reinforce": of the reward of the trial after, as an action is credited with it."""
    entropy: float = 0.0
    """With "reinforce": weight of the entropy of choices, which keeps them open."""

    def __post_init__(self) -> None:
        require_known("objective of search 'gradient'", self.objective, OBJECTIVES)
        for name in ("popsize", "block", "together"):
            value = getattr(self, name)
            require(value >= 1, f"{name} is {value}, expected at least 1")
        require(
            self.trials is None or self.trials >= 1,
            f"trials is {self.trials}, expected at least 1, or none for all",
        )
        for name in ("learning_rate", "clip_norm", "lifetime_clip_norm", "temperature"):
            value = getattr(self, name)
            require(value > 0, f"{name} is {value}, expected more than 0")
        for name in ("beta1", "beta2"):
            value = getattr(self, name)
            require(0 <= value < 1, f"{name} is {value}, expected a share in [0, 1)")
        require(0 <= self.discount <= 1, f"discount is {self.discount}, expected within [0, 1]")
        require(self.entropy >= 0, f"entropy is {self.entropy}, expected 0 or more")

    @property
    def asked(self) -> Unrolling:
        """What is asked of each lifetime."""
        return Unrolling(
            self.objective,
            self.trials,
            self.block,
            self.together,
            self.temperature,
            self.discount,
            self.entropy,
        )
