"""Where the weights of a newborn come from: the section `birth` of a lifetime's configuration.

    innate    the genome holds w
    random    w[i, j] = b[i, j] (mean[i, j] + gain[i, j] z[i, j]) / sqrt(N)

with z standard normal and b = 1 with the chance density[i, j], else 0, both drawn anew for each
lifetime; where b is 0 there is no connection, and its alpha is 0 too. gain, density and mean are
numbers, or fields of the genome in any form of a coefficient: by default one for each pair of
neuron groups, so that a genome can say how strong and of which sign connections are, and nothing of
a task. Rows of `innate` groups are the genome's own: a steering part that a lifetime begins with.

Source: random weights at birth with an evolved rule are those of Najarro & Risi 2020 and of EPRNN
(Wang et al. 2022); the split into a steering and a learning part is that of Byrnes (2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, get_args

from evoplastic.checks import SECTION, require, require_known
from evoplastic.rules.coefficients import Evolvable

Weights = Literal["innate", "random"]
Group = Literal["action", "hidden", "modulators", "response"]
Sender = Literal["stimulus", "feedback", "bias", "action", "hidden", "modulators", "response"]

INNATE_GROUPS: tuple[Group, ...] = ("action", "hidden", "modulators", "response")
STATISTICS = ("gain", "density", "mean")
NUMBERS = (*STATISTICS, "alpha")  # that may be fields of the genome


@dataclass(frozen=True, kw_only=True)
class BirthConfig:
    """Whether weights are innate or drawn for each lifetime; none means what random ones have.

    Raises:
        UsageError: a statistic of innate weights, an unknown group, a gain below 0, a density that
            is no chance or may leave [0, 1].
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    weights: Weights = "innate"
    """"innate": the genome holds w; "random": they are drawn anew for each lifetime."""
    innate: tuple[Group, ...] = ()
    """Neuron groups whose incoming weights are innate while the others are random."""
    gain: float | Evolvable | None = None
    """Standard deviation of a random weight that is there, times sqrt(N)."""
    density: float | Evolvable | None = None
    """Chance that a random connection is there."""
    mean: float | Evolvable | None = None
    """Mean of a random weight that is there, times sqrt(N): its sign, where it is larger than the
    gain."""
    alpha: float | Evolvable | None = None
    """Plasticity coefficient; none means the field alpha, one for each connection."""
    without: tuple[tuple[Sender, Group], ...] = ()
    """Pairs of groups, [from, onto], between which there are no connections."""
    fixed: tuple[tuple[Sender, Group], ...] = ()
    """Pairs of groups, [from, onto], whose connections do not change within a lifetime."""
    plastic: tuple[Group, ...] = INNATE_GROUPS
    """Neuron groups whose incoming connections change within a lifetime."""
    label_gain: float = 0.0
    """Weight of the wire from each label line, the last O stimulus lines, onto the response neuron
    of its action, which rests at minus half of it; label lines reach no other neuron, and their
    wires do not change. 0 means that no lines are labels."""

    def __post_init__(self) -> None:
        require_known("weights of a newborn", self.weights, ("innate", "random"))
        for name, what in (("innate", "with innate weights"), ("plastic", "that is plastic")):
            chosen = getattr(self, name)
            for group in chosen:
                require_known(f"neuron group {what}", group, INNATE_GROUPS)
            require(
                len(set(chosen)) == len(chosen),
                f"{name} names {', '.join(chosen)}, one group twice",
            )
        self._check_anatomy()
        if self.weights == "innate":
            given = [name for name in STATISTICS if getattr(self, name) is not None]
            given += ["innate"] if self.innate else []
            require(
                not given,
                f"birth sets {', '.join(given)}, but its weights are innate, which have none; set "
                "weights to random, or drop it",
            )
        gain, density, alpha = self.gain, self.density, self.alpha
        require(
            not isinstance(gain, float | int) or gain >= 0,
            f"gain is {gain}, expected 0 or more",
        )
        require(
            not isinstance(gain, Evolvable) or gain.transform == "positive",
            "gain is evolvable, but must stay above 0; set its transform to positive",
        )
        require(
            not isinstance(density, float | int) or 0 <= density <= 1,
            f"density is {density}, expected a chance in [0, 1]",
        )
        require(
            not isinstance(density, Evolvable) or _within_a_chance(density),
            "density is evolvable, but is a chance; set its lower and upper within [0, 1]",
        )
        require(
            not isinstance(alpha, float | int) or alpha >= 0,
            f"alpha is {alpha}, expected 0 or more",
        )

    def _check_anatomy(self) -> None:
        for name, pairs in (("without", self.without), ("fixed", self.fixed)):
            for pair in pairs:
                require(
                    len(pair) == 2,
                    f"{name} lists {pair!r}, expected a pair of groups, [from, onto]",
                )
                require_known(f"neuron group in {name}", pair[0], get_args(Sender))
                require_known(f"neuron group in {name}", pair[1], INNATE_GROUPS)
            require(
                len(set(pairs)) == len(pairs),
                f"{name} lists {[list(pair) for pair in pairs]}, one pair twice",
            )
        require(
            math.isfinite(self.label_gain) and self.label_gain >= 0,
            f"label_gain is {self.label_gain}, expected 0 or more",
        )

    @property
    def has_anatomy(self) -> bool:
        """Whether anything of the wiring is settled beside the genome."""
        plastic = set(self.plastic) == set(INNATE_GROUPS)
        return bool(self.without or self.fixed or self.label_gain) or not plastic

    @property
    def resolved(self) -> BirthConfig:
        """The same choice with every number written out."""
        if self.weights == "innate":
            return self
        gain, density, mean = (
            DEFAULTS[name] if getattr(self, name) is None else getattr(self, name)
            for name in STATISTICS
        )
        return replace(self, gain=gain, density=density, mean=mean)

    @property
    def evolved(self) -> dict[str, Evolvable]:
        """The numbers that are fields of the genome, by name."""
        chosen = self.resolved
        return {
            name: setting
            for name in NUMBERS
            if isinstance(setting := getattr(chosen, name), Evolvable)
        }


def _within_a_chance(density: Evolvable) -> bool:
    lower, upper = density.lower, density.upper
    return lower is not None and lower >= 0 and upper is not None and upper <= 1


DEFAULTS: dict[str, Evolvable] = {
    "gain": Evolvable(form="groups", init=1.5, transform="positive"),
    "density": Evolvable(form="groups", init=0.5, lower=0.0, upper=1.0),
    "mean": Evolvable(form="groups"),
}
