"""Which rule a lifetime follows, and its options: the section `rule` of a configuration."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, Literal

from evoplastic.checks import SECTION, require, require_known
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.coefficients import Evolvable, Setting
from evoplastic.rules.definition import Definition
from evoplastic.rules.python_file import is_reference
from evoplastic.rules.table import Rule, RuleConstants, Schedule, evolvable

Baseline = Literal["kind", "single", "none"]
Outcome = Literal["graded", "binary", "reward"]
Gate = Literal["always", "feedback"]

POSITIVE_SCALARS = ("tau_elig_ms", "baseline_decay")  # numbers that a whole network shares


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
        UsageError: an unknown rule (with the nearest one), a number out of its range, a gate or a
            number that the rule does not have.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    name: str = "node_perturbation"
    """Which rule, one of the table; any name if its definition is written out."""
    eta: float | Evolvable | None = None
    """Learning rate of a lifetime."""
    coefficients: dict[str, float | Evolvable] = field(default_factory=dict, hash=False)
    """Coefficients of the rule: a number, or a mapping that makes it a field of the
    genome; those not named are as the rule has them."""
    tau_elig_ms: float | Evolvable | None = None
    """Time constant of the eligibility trace."""
    max_change: float | None = None
    """Largest change of one plastic weight at one update, of rules that clip it."""
    max_p: float | None = None
    """Largest magnitude of a plastic weight, of rules that clip it."""
    mean_keep: float | None = None
    """Share of a neuron's running mean rate that survives a step, of rules that centre rates."""
    normalises: bool | None = None
    """Whether plastic weights are divided by their largest magnitude after each change."""
    first_trial: int | None = None
    """Trials before this one change nothing."""
    baseline: Baseline = "kind"
    """Running mean of the outcome: one per trial kind (an oracle), a single one, or none."""
    baseline_decay: float | Evolvable = 0.9
    """Share of a running mean that survives a trial."""
    outcome: Outcome = "graded"
    """What the outcome of a trial is: the graded loss, 0.1 / 0.6 for right / wrong (the loss
    feedback then carries these too), or the task's own reward."""
    gate: Gate = "always"
    """The network modulates at every step, or while there is feedback only: in the feedback window
    of a trial of fixed timing, at the first step after a self-paced trial."""
    definition: Definition | None = field(default=None, hash=False)
    """The rule written out as a table of terms; none means the entry of this name."""

    def __post_init__(self) -> None:
        if self.definition is None:
            require(
                not is_reference(self.name),
                f"rule {self.name!r} is code in a file, which runs only where it is typed: set "
                f"rule={self.name} on the command line, or write its table out as rule.definition",
            )
            require_known("plasticity rule", self.name, RULES)
        table = self.table
        if self.definition is not None:
            self._check_definition(table)
        _ = self.constants  # checks the numbers
        require(
            self.eta is None or "eta" in table.names,
            f"eta is given, but no term of rule {self.name!r} has it; it has "
            f"{', '.join(table.names)}",
        )
        require(
            self.eta is None or "eta" not in self.coefficients,
            "eta is given twice, as rule.eta and in rule.coefficients; keep one",
        )
        for name in self.coefficients:
            require_known(f"coefficient of rule {self.name!r}", name, table.names)
        require(
            not isinstance(self.tau_elig_ms, Evolvable) or bool(table.credits),
            f"tau_elig_ms is evolvable, but rule {self.name!r} has no eligibility trace; set it to "
            "a number",
        )
        self._check_shared()
        decay = self.baseline_decay
        require(
            isinstance(decay, Evolvable) or 0 <= decay < 1,
            f"baseline_decay is {decay}, expected a share in [0, 1)",
        )
        require(
            self.gate == "always" or table.has_gate,
            f"gate 'feedback' needs a rule that the network modulates step by step, and "
            f"{self.name!r} is none; set rule.gate to always, or rule.name to one of "
            + ", ".join(name for name, rule in RULES.items() if rule.has_gate),
        )

    def _check_definition(self, table: Rule) -> None:
        """A rule written out bears no other rule's name, and no term of it waits for a number."""
        entry = RULES.get(self.name)
        require(
            entry is None or entry.terms == table.terms,
            f"name is {self.name!r}, which is another rule of the table; give the definition a "
            "name of its own",
        )
        given = {"eta", *table.coefficients, *self.coefficients}
        for name in table.names:
            require(
                name in given,
                f"coefficient {name!r} of rule {self.name!r} has no value, so that its terms would "
                f"do nothing; set rule.coefficients.{name} to a number or a field",
            )

    def _check_shared(self) -> None:
        """Numbers that a whole network shares are scalars that keep to their range."""
        for name in POSITIVE_SCALARS:
            chosen = getattr(self, name)
            if not isinstance(chosen, Evolvable):
                continue
            require(
                chosen.form == "scalar",
                f"{name} has form {chosen.form!r}, but a network has one; set form to scalar",
            )
            require(
                chosen.transform == "positive",
                f"{name} is evolvable with transform {chosen.transform!r}, but must stay above 0; "
                "set transform to positive",
            )
        decay = self.baseline_decay
        require(
            not isinstance(decay, Evolvable) or (decay.upper is not None and decay.upper < 1),
            "baseline_decay is evolvable, but is a share below 1; set its upper, for example 0.99",
        )

    @property
    def table(self) -> Rule:
        """The rule itself."""
        if self.definition is not None:
            rule = self.definition.rule(self.name)
        else:
            rule = RULES[self.name]
        return rule if self.normalises is None else replace(rule, normalises=self.normalises)

    @property
    def constants(self) -> RuleConstants:
        """The numbers that hold: those chosen, else the rule's own."""
        chosen = {
            field.name: getattr(self, field.name)
            for field in fields(RuleConstants)
            if isinstance(getattr(self, field.name, None), float | int)
        }
        eta = self.coefficients.get("eta")
        if isinstance(eta, float | int):
            chosen["eta"] = eta
        return replace(self.table.defaults, **chosen)

    @property
    def settings(self) -> dict[str, Setting]:
        """Every coefficient, as chosen, else as the rule has it."""
        settings: dict[str, Setting] = {**self.table.settings, **self.coefficients}
        if self.eta is not None:
            settings["eta"] = self.eta
        return settings

    def constant(self, names: Iterable[str]) -> float:
        """The product of coefficients that are numbers of the recipe."""
        numbers = [self.settings[name] for name in names]
        return math.prod(number for number in numbers if not isinstance(number, Evolvable))

    @property
    def evolved(self) -> dict[str, Evolvable]:
        """The numbers that are fields of the genome, by name, in a fixed order."""
        shared = {name: getattr(self, name) for name in POSITIVE_SCALARS}
        return evolvable(self.settings | shared)

    @property
    def schedule(self) -> Schedule:
        """How an engine may touch the matrices; evolved numbers differ between individuals."""
        constant = not set(self.evolved) - {"baseline_decay"}
        return self.table.schedule if constant else "every_step"

    @property
    def resolved(self) -> RuleConfig:
        """The same choice with every number written out."""
        numbers = {
            field.name: getattr(self.constants, field.name)
            for field in fields(RuleConstants)
            if hasattr(self, field.name)
        }
        others = {name: value for name, value in self.settings.items() if name != "eta"}
        if isinstance(self.tau_elig_ms, Evolvable):
            numbers["tau_elig_ms"] = self.tau_elig_ms
        numbers["eta"] = self.settings.get("eta")
        return replace(self, **numbers, coefficients=others, normalises=self.table.normalises)
