"""What a plasticity rule is: a table of credits and changes, from which all else is derived.

With post_i and pre_j taken from the neurons that a connection j -> i joins,

    trace' = retention * (trace + sum over credits of post_i * pre_j)
    p'     = p + clip(M * sum over changes of coefficient * post_i * pre_j * p^{0,1} * trace^{0,1})

M is 1, the outcome of a trial as its gate makes it, or the network's own modulatory signal. `pre`
is the source's rate before the step, `post` the target's after it; "noise" is the perturbation
that the neuron meets in the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from evoplastic.checks import require, require_known

Factor = Literal["one", "rate", "rate_squared", "rate_cubed", "noise"]
Coefficient = Literal["eta"]
Modulator = Literal["none", "outcome", "network"]
When = Literal["step", "outcome"]
Schedule = Literal["at_outcome", "lazy", "every_step"]

FACTORS: tuple[Factor, ...] = get_args(Factor)
COEFFICIENTS: tuple[Coefficient, ...] = get_args(Coefficient)


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

    coefficient: Coefficient = "eta"  # a constant of the rule
    sign: Literal[1, -1] = 1
    post: Factor = "one"
    pre: Factor = "one"
    p: bool = False  # whether the plastic weight itself is a factor
    trace: bool = False  # whether the eligibility trace is a factor

    def __post_init__(self) -> None:
        require_known("coefficient of a term", self.coefficient, COEFFICIENTS)
        require(self.sign in (1, -1), f"sign of a term is {self.sign!r}, expected 1 or -1")
        for factor in (self.post, self.pre):
            require_known("factor of a term", factor, FACTORS)

    @property
    def is_scaled_trace(self) -> bool:
        """Whether the term is a number times the trace, the same for all connections."""
        return self.trace and not self.p and self.post == self.pre == "one"


@dataclass(frozen=True, kw_only=True)
class RuleConstants:
    """The numbers of a rule; as defaults, those of its source."""

    eta: float
    """Learning rate of a lifetime."""
    first_trial: int
    """Trials before this one change nothing."""
    quiet_trials: int
    """The last trials of a lifetime, which are not perturbed."""
    tau_elig_ms: float = 1000.0
    """Time constant of the eligibility trace."""
    max_change: float = 0.01
    """Largest change of one plastic weight at one update."""

    def __post_init__(self) -> None:
        require(self.eta >= 0, f"eta is {self.eta}, expected 0 or more")
        require(
            self.tau_elig_ms > 0, f"tau_elig_ms is {self.tau_elig_ms}, expected a positive duration"
        )
        require(self.max_change > 0, f"max_change is {self.max_change}, expected more than 0")
        require(self.first_trial >= 0, f"first_trial is {self.first_trial}, expected 0 or more")
        require(self.quiet_trials >= 0, f"quiet_trials is {self.quiet_trials}, expected 0 or more")


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
    defaults: RuleConstants
    credits: tuple[Credit, ...] = ()
    modulator: Modulator = "none"
    when: When = "step"
    trace_first: bool = True  # whether a change reads the trace with the step's own credits in it
    clips_change: bool = True
    clips_p: bool = False
    normalises: bool = False
    equations: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        require_known("modulator of a rule", self.modulator, get_args(Modulator))
        require_known("time of change of a rule", self.when, get_args(When))
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
    def parts(self) -> tuple[Term | Credit, ...]:
        """All products of the table."""
        return *self.change, *self.credits

    @property
    def has_gate(self) -> bool:
        """Whether its changes can be kept to the steps with feedback: the network makes them."""
        return (self.modulator, self.when) == ("network", "step")

    @property
    def schedule(self) -> Schedule:
        """How an engine may touch the matrices: it follows from the table alone.

        at_outcome  once per trial, a number that the outcome gives times the trace
        lazy        at steps, a number that the network gives times the trace
        every_step  everything else: one pass over the rows per step

        The first two need a trace that gains where noise strikes and nowhere else.
        """
        scaled = all(term.is_scaled_trace for term in self.change)
        if scaled and self.credits == (Credit(post="noise", pre="rate"),):
            if (self.modulator, self.when) == ("outcome", "outcome"):
                return "at_outcome"
            if self.has_gate:
                return "lazy"
        return "every_step"

    def trace_gain(self, constants: RuleConstants) -> float:
        """The number times M that the trace is multiplied with where `schedule` is not every_step.

        gain = sum over changes of sign * coefficient
        """
        assert self.schedule != "every_step", f"rule {self.name!r} is more than its trace"
        return sum(term.sign * float(getattr(constants, term.coefficient)) for term in self.change)
