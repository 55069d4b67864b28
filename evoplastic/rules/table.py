"""What a plasticity rule is: a table of credits and changes, from which all else is derived.

With post_i and pre_j taken from the neurons that a connection j -> i joins,

    trace' = retention * (trace + sum over credits of post_i * pre_j)
    p'     = p + clip(M * sum over changes of coefficient * post_i * pre_j * p^{0,1} * trace^{0,1})

M is 1, the outcome of a trial as its gate makes it, or the network's own modulatory signal. `pre`
is the source's rate before the step, `post` the target's after it; "noise" is the node
perturbation of the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from evoplastic.checks import require, require_known

Factor = Literal["one", "rate", "rate_squared", "rate_cubed", "centred", "centred_cubed", "noise"]
Modulator = Literal["none", "outcome", "network"]
When = Literal["step", "outcome"]
Schedule = Literal["at_outcome", "lazy", "every_step"]

FACTORS: tuple[Factor, ...] = (
    "one",
    "rate",
    "rate_squared",
    "rate_cubed",
    "centred",
    "centred_cubed",
    "noise",
)


@dataclass(frozen=True, kw_only=True)
class Credit:
    """One product that the eligibility trace gains at every step: post * pre."""

    post: Factor = "one"
    pre: Factor = "rate"

    def __post_init__(self) -> None:
        for factor in (self.post, self.pre):
            require_known("factor of a credit", factor, FACTORS)


@dataclass(frozen=True, kw_only=True)
class Term:
    """One product of the change of a weight: sign * coefficient * post * pre * p * trace."""

    coefficient: str = "eta"  # an option of the rule, or a field of the genome
    sign: Literal[1, -1] = 1
    post: Factor = "one"
    pre: Factor = "one"
    p: bool = False  # whether the plastic weight itself is a factor
    trace: bool = False  # whether the eligibility trace is a factor

    def __post_init__(self) -> None:
        require(self.sign in (1, -1), f"sign of a term is {self.sign!r}, expected 1 or -1")
        for factor in (self.post, self.pre):
            require_known("factor of a term", factor, FACTORS)

    @property
    def is_scaled_trace(self) -> bool:
        """Whether the term is a number times the trace, the same for all connections."""
        return self.trace and not self.p and self.post == self.pre == "one"


@dataclass(frozen=True, kw_only=True)
class RuleDefaults:
    """What an experimenter may set, as the source of the rule has it."""

    eta: float
    first_trial: int
    quiet_trials: int
    tau_elig_ms: float = 1000.0
    max_change: float = 0.01


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A plasticity rule as data.

    Raises:
        UsageError: a table that contradicts itself.
    """

    name: str
    title: str
    source: str
    change: tuple[Term, ...]
    defaults: RuleDefaults
    credits: tuple[Credit, ...] = ()
    modulator: Modulator = "none"
    when: When = "step"
    equations: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        require(
            bool(self.change), f"rule {self.name!r} changes nothing, expected at least one term"
        )
        reads = any(term.trace for term in self.change)
        require(
            reads == bool(self.credits),
            f"rule {self.name!r} "
            + (
                "reads an eligibility trace that nothing is ever credited to; add a credit"
                if reads
                else "credits an eligibility trace that no term reads; drop the credits"
            ),
        )
        require(
            self.modulator != "outcome" or self.when == "outcome",
            f"rule {self.name!r} is gated by the outcome, which is known once per trial; set when "
            "to 'outcome'",
        )

    @property
    def schedule(self) -> Schedule:
        """How an engine may touch the matrices: it follows from the terms alone.

        at_outcome  changes only when an outcome is known, each a number times the trace
        lazy        each change is a number times the trace, which gains where noise strikes
        every_step  everything else: one pass over the rows per step
        """
        scaled = all(term.is_scaled_trace for term in self.change)
        sparse = all(credit.post == "noise" for credit in self.credits)
        if scaled and sparse:
            return "at_outcome" if self.when == "outcome" else "lazy"
        return "every_step"
