"""A rule written out in a configuration: the words of its table, without Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from evoplastic.checks import SECTION
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.table import Credit, Modulator, Rule, RuleConstants, Term, When


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A table of terms, as `Rule` has it; it or the recipe sets each of its coefficients.

    Raises:
        UsageError: a table that contradicts itself.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    change: tuple[Term, ...]
    """What a plastic weight changes by, the sum of these terms."""
    credits: tuple[Credit, ...] = ()
    """What the eligibility trace gains at every step."""
    modulator: Modulator = "none"
    """What M is: 1, the outcome of a trial, or the network's own signal."""
    when: When = "step"
    """Whether weights change at every step, or when the outcome of a trial is known."""
    trace_first: bool = True
    """Whether a change reads the trace with the step's own credits in it."""
    clips_change: bool = True
    """Whether a change is kept within max_change."""
    clips_p: bool = False
    """Whether plastic weights are kept within max_p."""
    normalises: bool = False
    """Whether plastic weights are divided by their largest magnitude after each change."""
    coefficients: dict[str, float | Evolvable] = field(default_factory=dict)
    """Its own values of its coefficients, which the recipe may override."""
    defaults: RuleConstants = field(default_factory=RuleConstants)
    """Its own constants, which the recipe may override."""
    equations: tuple[str, ...] = ()
    """What it computes, for readers."""
    title: str = "a rule of this configuration"
    """What it is, in a sentence."""
    source: str = "this configuration"
    """Where it comes from."""

    def __post_init__(self) -> None:
        self.rule("definition")

    def rule(self, name: str) -> Rule:
        """The table under this name."""
        return Rule(
            name=name,
            title=self.title,
            source=self.source,
            change=self.change,
            credits=self.credits,
            modulator=self.modulator,
            when=self.when,
            trace_first=self.trace_first,
            clips_change=self.clips_change,
            clips_p=self.clips_p,
            normalises=self.normalises,
            coefficients=self.coefficients,
            defaults=self.defaults,
            equations=self.equations,
        )

    @classmethod
    def of(cls, rule: Rule) -> Definition:
        """The same table, to be written into a configuration."""
        return cls(
            change=rule.change,
            credits=rule.credits,
            modulator=rule.modulator,
            when=rule.when,
            trace_first=rule.trace_first,
            clips_change=rule.clips_change,
            clips_p=rule.clips_p,
            normalises=rule.normalises,
            coefficients=dict(rule.coefficients),
            defaults=rule.defaults,
            equations=rule.equations,
            title=rule.title,
            source=rule.source,
        )
