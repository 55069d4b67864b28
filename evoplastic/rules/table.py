"""What a plasticity rule is: a table of credits and changes, from which all else is derived.

With post_i and pre_j taken from the neurons that a connection j -> i joins,

    trace' = retention * (trace + sum over credits of post_i * pre_j)
    p'     = p + clip(sum over changes of M * coefficients * post_i * pre_j * p^{0,1} * trace^{0,1})

where asked for, p' is clipped too, or divided by its largest magnitude. M is 1, the outcome of a
trial as its gate makes it, or the network's own modulatory signal. `pre` is the source's rate
before the step, `post` the target's after it; "noise" is the perturbation that the neuron meets in
the step; "centred" is a rate less its running mean, as that stands before the step's rate enters:

    mean' = mean_keep * mean + (1 - mean_keep) * rate                            mean = 0 at birth
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from evoplastic.checks import SECTION, require, require_known
from evoplastic.rules.coefficients import Evolvable, Setting

Factor = Literal["one", "rate", "rate_squared", "rate_cubed", "centred", "centred_cubed", "noise"]
Modulator = Literal["none", "outcome", "network"]
When = Literal["step", "outcome"]
Schedule = Literal["at_outcome", "lazy", "every_step"]

FACTORS: tuple[Factor, ...] = get_args(Factor)
CENTRED: tuple[Factor, ...] = ("centred", "centred_cubed")


@dataclass(frozen=True, kw_only=True)
class Credit:
    """One product that the eligibility trace gains at every step: post * pre."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    post: Factor = "one"
    """What the target contributes."""
    pre: Factor = "rate"
    """What the source contributes."""

    def __post_init__(self) -> None:
        for factor in (self.post, self.pre):
            require_known("factor of a credit", factor, FACTORS)


@dataclass(frozen=True, kw_only=True)
class Term:
    """One product of the change of a weight: sign * coefficients * post * pre * p * trace."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    coefficients: tuple[str, ...] = ("eta",)
    """Names of what is multiplied: constants of the recipe, or fields of the genome."""
    sign: Literal[1, -1] = 1
    """Whether the product is added or taken off."""
    post: Factor = "one"
    """What the target contributes."""
    pre: Factor = "one"
    """What the source contributes."""
    p: bool = False
    """Whether the plastic weight itself is a factor."""
    trace: bool = False
    """Whether the eligibility trace is a factor."""
    modulated: bool = True
    """Whether M is a factor."""

    def __post_init__(self) -> None:
        given: object = self.coefficients
        require(
            not isinstance(given, str) and len(self.coefficients) > 0,
            f"coefficients of a term are {self.coefficients!r}, expected a list of names such as "
            "[eta]",
        )
        require(
            len(set(self.coefficients)) == len(self.coefficients),
            f"coefficients of a term are {list(self.coefficients)}, one name twice",
        )
        require(self.sign in (1, -1), f"sign of a term is {self.sign!r}, expected 1 or -1")
        for factor in (self.post, self.pre):
            require_known("factor of a term", factor, FACTORS)

    @property
    def is_scaled_trace(self) -> bool:
        """Whether the term is M and a number times the trace, the same for all connections."""
        plain = self.post == self.pre == "one" and not self.p
        return plain and self.trace and self.modulated


@dataclass(frozen=True, kw_only=True)
class RuleConstants:
    """The numbers of a rule; as defaults, those of its source."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    eta: float = 1.0
    """Learning rate of a lifetime."""
    first_trial: int = 0
    """Trials before this one change nothing."""
    quiet_trials: int = 0
    """The last trials of a lifetime, which are not perturbed."""
    tau_elig_ms: float = 1000.0
    """Time constant of the eligibility trace."""
    max_change: float = 0.01
    """Largest change of one plastic weight at one update, where the rule clips it."""
    max_p: float = 1.0
    """Largest magnitude of a plastic weight, where the rule clips it."""
    mean_keep: float = 0.9
    """Share of the running mean of a rate that survives a step."""

    def __post_init__(self) -> None:
        require(self.eta >= 0, f"eta is {self.eta}, expected 0 or more")
        require(
            self.tau_elig_ms > 0, f"tau_elig_ms is {self.tau_elig_ms}, expected a positive duration"
        )
        for name in ("max_change", "max_p"):
            value = getattr(self, name)
            require(value > 0, f"{name} is {value}, expected more than 0")
        require(
            0 <= self.mean_keep < 1,
            f"mean_keep is {self.mean_keep}, expected a share in [0, 1)",
        )
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
    defaults: RuleConstants = field(default_factory=RuleConstants)
    coefficients: Mapping[str, Setting] = field(default_factory=dict)
    """Every coefficient but a constant eta, as a number or as a field of the genome."""
    credits: tuple[Credit, ...] = ()
    modulator: Modulator = "none"
    when: When = "step"
    trace_first: bool = True  # whether a change reads the trace with the step's own credits in it
    clips_change: bool = True
    clips_p: bool = False
    normalises: bool = False  # whether p is divided by its largest magnitude after each change
    equations: tuple[str, ...] = ()

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
        require(
            self.modulator == "none" or any(term.modulated for term in self.change),
            f"rule {self.name!r} is modulated by {self.modulator!r}, but no term of it is; set "
            "modulator to 'none', or modulated of a term",
        )
        for name in self.coefficients:
            require_known(f"coefficient of rule {self.name!r}", name, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients that its terms name, in their order."""
        return tuple(dict.fromkeys(name for term in self.change for name in term.coefficients))

    @property
    def terms(self) -> tuple[object, ...]:
        """What makes it this rule and no other, apart from its numbers and its clips."""
        return (self.change, self.credits, self.modulator, self.when, self.trace_first)

    @property
    def settings(self) -> dict[str, Setting]:
        """Every coefficient as its source has it."""
        constant: dict[str, Setting] = {"eta": self.defaults.eta}
        return {name: self.coefficients.get(name, constant.get(name, 0.0)) for name in self.names}

    @property
    def parts(self) -> tuple[Term | Credit, ...]:
        """All products of the table."""
        return *self.change, *self.credits

    @property
    def has_gate(self) -> bool:
        """Whether its changes can be kept to the steps with feedback: the network makes them."""
        return (self.modulator, self.when) == ("network", "step")

    @property
    def centres(self) -> bool:
        """Whether some factor is a rate less its running mean."""
        parts: tuple[Term | Credit, ...] = (*self.change, *self.credits)
        return any(factor in CENTRED for part in parts for factor in (part.post, part.pre))

    @property
    def schedule(self) -> Schedule:
        """How an engine may touch the matrices: it follows from the table alone.

        at_outcome  once per trial, a number that the outcome gives times the trace
        lazy        at steps, a number that the network gives times the trace
        every_step  everything else: one pass over the rows per step

        The first two need a trace that gains where noise strikes and nowhere else.
        """
        scaled = all(term.is_scaled_trace and term.coefficients == ("eta",) for term in self.change)
        bounded = self.clips_change and not self.clips_p and not self.normalises
        sparse = self.credits == (Credit(post="noise", pre="rate"),) and self.trace_first
        if scaled and bounded and sparse:
            if (self.modulator, self.when) == ("outcome", "outcome"):
                return "at_outcome"
            if self.has_gate:
                return "lazy"
        return "every_step"

    @property
    def obstacle(self) -> str | None:
        """Why no gradient goes back through its changes; none if one does."""
        if self.modulator == "outcome":
            return "is gated by the outcome of a choice, which is a hard argmax"
        if any("noise" in (part.post, part.pre) for part in self.parts):
            return "credits noise by chance, not activity"
        if self.clips_change:
            return "clips every change at max_change, where no gradient is left"
        return None

    def trace_gain(self, constants: RuleConstants) -> float:
        """The number times M that the trace is multiplied with where `schedule` is not every_step.

        gain = sum over changes of sign * eta
        """
        assert self.schedule != "every_step", f"rule {self.name!r} is more than its trace"
        return sum(term.sign * constants.eta for term in self.change)


def evolvable(settings: Mapping[str, Setting]) -> dict[str, Evolvable]:
    """Those coefficients that are fields of the genome."""
    return {name: value for name, value in settings.items() if isinstance(value, Evolvable)}
