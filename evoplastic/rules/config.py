"""Which rule a lifetime follows, and its options: the section `rule` of a configuration."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal

from evoplastic.checks import SECTION, require, require_known
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.table import Rule, RuleConstants

Baseline = Literal["kind", "single", "none"]
Outcome = Literal["graded", "binary", "reward"]
Gate = Literal["always", "feedback"]


@dataclass(frozen=True, kw_only=True)
class RuleConfig:
    """A rule of the table `RULES`, and what is chosen about it; none means the rule's own default.

    What the outcome of a trial is, and its gate, where the rule is modulated by it (once per trial,
    at the first feedback step; at the last step of a self-paced trial), with L the outcome and b
    its baseline:
        M = b * (L - b)
        M = L                                              without a baseline
      and with the outcome "reward", L = minus the reward of the trial:
        M = L - b
    Where the network modulates: M = rate of modulator 0 - rate of modulator 1.

    Raises:
        UsageError: an unknown rule (with the nearest one), a number out of its range, a gate that
            the rule does not have.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: str = "node_perturbation"
    """Which rule, one of the table."""
    eta: float | None = None
    """Learning rate of a lifetime."""
    tau_elig_ms: float | None = None
    """Time constant of the eligibility trace."""
    max_change: float | None = None
    """Largest change of one plastic weight at one update."""
    first_trial: int | None = None
    """Trials before this one change nothing."""
    baseline: Baseline = "kind"
    """Running mean of the outcome: one per trial kind (an oracle), a single one, or none."""
    baseline_decay: float = 0.9
    """Share of a running mean that survives a trial."""
    outcome: Outcome = "graded"
    """What the outcome of a trial is: the graded loss, 0.1 / 0.6 for right / wrong (the loss
    feedback then carries these too), or the task's own reward."""
    gate: Gate = "always"
    """The network modulates at every step, or while there is feedback only: in the feedback window
    of a trial of fixed timing, at the first step after a self-paced trial."""

    def __post_init__(self) -> None:
        require_known("plasticity rule", self.name, RULES)
        _ = self.constants  # checks the numbers
        require(
            0 <= self.baseline_decay < 1,
            f"baseline_decay is {self.baseline_decay}, expected a share in [0, 1)",
        )
        require(
            self.gate == "always" or self.table.has_gate,
            f"gate 'feedback' needs a rule that the network modulates step by step, and "
            f"{self.name!r} is none; set rule.gate to always, or rule.name to one of "
            + ", ".join(name for name, rule in RULES.items() if rule.has_gate),
        )

    @property
    def table(self) -> Rule:
        """The rule itself."""
        return RULES[self.name]

    @property
    def constants(self) -> RuleConstants:
        """The numbers that hold: those chosen, else the rule's own."""
        chosen = {
            field.name: getattr(self, field.name)
            for field in fields(RuleConstants)
            if getattr(self, field.name, None) is not None
        }
        return replace(self.table.defaults, **chosen)

    @property
    def resolved(self) -> RuleConfig:
        """The same choice with every number written out."""
        numbers = {
            field.name: getattr(self.constants, field.name)
            for field in fields(RuleConstants)
            if hasattr(self, field.name)
        }
        return replace(self, **numbers)
