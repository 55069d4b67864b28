"""What a modulation is: channels from modulatory neurons, or from outcomes, to what they change.

With m_k the rates of the K modulatory neurons, a network's own signal is

    mod = m_0 - m_1 + m_2 - ...                                          the published pair at K = 2

and it is the M of a rule that the network modulates. A channel adds to that, or replaces it:

    plasticity   M_i = sum_k F_ik m_k, or F_i times the gated outcome    of every connection onto i
    gain         rate_i = g_i f(x_i - theta_i),  g_i = 2 / (1 + exp(-sum_k G_ik m_k))
    threshold    theta_i = sum_k H_ik m_k

M takes m as it is after the step, as the rule does; g and theta take m as it was before it. A
fan-out (F, G, H) is a field of the genome, or the same for all neurons: strength (-1)^k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, get_args

from evoplastic.checks import SECTION, require, require_known

Source = Literal["network", "outcome"]
Target = Literal["plasticity", "gain", "threshold"]
Scope = Literal["all", "neuron"]
Onto = Literal["all", "hidden"]

TARGETS: tuple[Target, ...] = get_args(Target)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One way in which a network is modulated.

    Raises:
        UsageError: an unknown word, an outcome onto activity, numbers that the scope does not have.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    target: Target
    """What it changes: plasticity, the gain of activity, or thresholds."""
    source: Source | None = None
    """The modulatory neurons of the network, or the outcome of a trial as its gate makes it; none
    means the network, onto plasticity whatever modulates the rule."""
    scope: Scope = "neuron"
    """A fan-out for each neuron, which evolves, or one signal for all."""
    onto: Onto = "all"
    """All neurons, or hidden ones: neither modulatory neurons nor response neurons."""
    strength: float = 1.0
    """Of one signal for all: times the network's signal."""
    init: float = 0.0
    """First values of a fan-out, with the sign (-1)^k: 1 onto plasticity is the signal itself."""
    spread: float = 0.0
    """Standard deviation of the first values around that."""
    scale: float = 1.0
    """Size of a mutation of a fan-out, times the search's own."""

    def __post_init__(self) -> None:
        require_known("target of a modulation", self.target, TARGETS)
        require_known("scope of a modulation", self.scope, get_args(Scope))
        require_known("onto of a modulation", self.onto, get_args(Onto))
        for name in ("strength", "init", "spread", "scale"):
            value = getattr(self, name)
            require(math.isfinite(value), f"{name} is {value}, expected a finite number")
        require(self.spread >= 0, f"spread is {self.spread}, expected 0 or more")
        require(self.scale > 0, f"scale is {self.scale}, expected more than 0")
        self._check_scope()
        if self.source is not None:
            require_known("source of a modulation", self.source, get_args(Source))
        if self.target != "plasticity":
            require(
                self.source != "outcome",
                f"an outcome is the source of a channel onto {self.target}, but is known once per "
                "trial; let the network be its source, or plasticity its target",
            )
            return
        require(
            self.scope == "neuron",
            "a channel onto plasticity with the scope 'all' is what a modulated rule has without "
            "one; drop it, or set its scope to 'neuron'",
        )
        require(
            self.onto == "all",
            f"a channel onto plasticity reaches {self.onto!r} neurons, expected all; its fan-out "
            "says how much",
        )

    def _check_scope(self) -> None:
        """Refuse numbers that nothing would read: fan-outs have no strength, a signal no genes."""
        others = ("strength",) if self.scope == "neuron" else ("init", "spread", "scale")
        default = {field.name: field.default for field in fields(self)}
        for name in others:
            require(
                getattr(self, name) == default[name],
                f"{name} is {getattr(self, name)}, but a channel of the scope {self.scope!r} has "
                f"none; drop it, or set the scope to "
                f"{'all' if self.scope == 'neuron' else 'neuron'}",
            )


@dataclass(frozen=True, kw_only=True)
class Modulation:
    """Modulatory neurons, and what they change, as data.

    Raises:
        UsageError: fewer than one modulatory neuron, two channels onto one target.
    """

    name: str
    title: str
    source: str
    equations: tuple[str, ...] = ()
    num_neurons: int = 2
    channels: tuple[Channel, ...] = ()

    def __post_init__(self) -> None:
        require(
            self.num_neurons >= 1,
            f"modulation {self.name!r} has {self.num_neurons} modulatory neurons, expected at "
            "least 1",
        )
        targets = [channel.target for channel in self.channels]
        for target in targets:
            require(
                targets.count(target) == 1,
                f"modulation {self.name!r} has {targets.count(target)} channels onto {target}, "
                "expected one; their fan-outs can be one",
            )

    def onto(self, target: Target) -> Channel | None:
        """The channel onto a target, if there is one."""
        return next((channel for channel in self.channels if channel.target == target), None)
