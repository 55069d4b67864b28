"""What a lifetime is: the choices of an experimenter, frozen, checked, and free of any engine.

Every field says which published value it has in Miconi (2023), ICML (PMLR 202:24756), "Learning
to acquire novel cognitive tasks with evolution, plasticity and meta-meta-learning".
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar, Literal

from evoplastic.birth.config import BirthConfig
from evoplastic.checks import SECTION, require
from evoplastic.modulation.config import ModulationConfig
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.table import Schedule, evolvable

Feedback = Literal[
    "loss",
    "correct",
    "prediction_error",
    "graded",
    "graded_prediction_error",
    "reward",
    "reward_prediction_error",
]
Fitness = Literal["loss", "accuracy", "reward"]
Noise = Literal["pair", "shared"]

INTRINSIC = ("tau_ms", "threshold")  # numbers of a neuron that may be fields of the genome
NEURON_FORMS = ("scalar", "target", "cell_types", "groups")

BINARY_LOSS_CORRECT = 0.1  # loss that a correct and a wrong trial count as with outcome "binary";
BINARY_LOSS_WRONG = 0.6  # close to the graded losses of a confident right and wrong answer


@dataclass(frozen=True, kw_only=True)
class DynamicsConfig:
    """The rate network within a trial (Miconi 2023, section 2.2)."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    tau_ms: float | Evolvable = 100.0
    """Time constant of a neuron; a mapping makes it a field of the genome, one number for all
    (scalar), one per neuron (target), per cell type or per neuron group."""
    threshold: float | Evolvable = 0.0
    """What is taken off a neuron's activation before the nonlinearity; a field as tau_ms may be."""
    initial_activation: float = 0.1
    """Activation x of every unclamped neuron at birth."""
    stimulus_gain: float = 3.0
    """Rate of a stimulus neuron per unit of stimulus."""
    feedback_gain: float = 3.0
    """Rate of a feedback neuron per unit of outcome."""
    action_gain: float = 3.0
    """Rate of the action-signal neuron of the chosen action."""
    bias_rate: float = 1.0
    """Rate of the bias neuron."""

    def __post_init__(self) -> None:
        tau = self.tau_ms
        for name in INTRINSIC:
            chosen = getattr(self, name)
            require(
                not isinstance(chosen, Evolvable) or chosen.form in NEURON_FORMS,
                f"{name} has form {getattr(chosen, 'form', None)!r}, but it is a neuron's, not a "
                f"connection's; expected one of {', '.join(NEURON_FORMS)}",
            )
        if not isinstance(tau, Evolvable):
            require(tau > 0, f"tau_ms is {tau}, expected a positive time constant")
            return
        require(
            tau.transform == "positive",
            f"tau_ms is evolvable with transform {tau.transform!r}, but must stay above 0; set "
            "transform to positive",
        )
        require(
            tau.lower is not None and tau.lower > 0,
            "tau_ms is evolvable, but a time constant cannot be shorter than a time step; set its "
            "lower to that of the tasks, for example 20",
        )

    @property
    def evolved(self) -> dict[str, Evolvable]:
        """The numbers that are fields of the genome, by name."""
        return evolvable({name: getattr(self, name) for name in INTRINSIC})

    @property
    def differs_between_neurons(self) -> bool:
        """Whether an engine has to know what each neuron has of its own."""
        return bool(self.evolved) or self.threshold != 0


@dataclass(frozen=True, kw_only=True)
class PerturbationConfig:
    """Node perturbation: the noise that lifetime plasticity explores with."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    probability: float = 0.1
    """Chance that a neuron is hit at a step."""
    amplitude: float = 0.5
    """A hit is uniform in [-amplitude, amplitude)."""
    first_step: int = 2
    """Steps of a trial before this one are never perturbed."""
    stop_step: int | None = None
    """Steps of a trial from this one on are never perturbed; none means that all are. What a
    network tries out after its answer cannot have changed the outcome, and blurs its credit."""
    quiet_trials: int | None = None
    """The last trials of a lifetime are not perturbed; none means as many as the rule's source."""
    perturb_hidden: bool = True
    """Whether hidden neurons are perturbed; without, a network explores with its answers alone."""
    perturb_modulators: bool = True
    """Whether the two modulatory neurons are perturbed too."""
    noise: Noise = "pair"
    """"pair": antithetic partners share their noise; "shared": the whole population does. Lifetimes
    that measure a center always have noise of their own."""

    def __post_init__(self) -> None:
        require(
            2.0**-32 <= self.probability <= 1,  # one step of the 32-bit words that decide a hit
            f"perturbation probability is {self.probability}, expected a chance in [2**-32, 1]; "
            "set amplitude to 0 to switch perturbations off",
        )
        require(self.amplitude >= 0, f"amplitude is {self.amplitude}, expected 0 or more")
        require(self.first_step >= 0, f"first_step is {self.first_step}, expected 0 or more")
        require(
            self.stop_step is None or self.stop_step > self.first_step,
            f"stop_step is {self.stop_step}, expected more than first_step ({self.first_step}); "
            "set amplitude to 0 to switch perturbations off",
        )
        require(
            self.quiet_trials is None or self.quiet_trials >= 0,
            f"quiet_trials is {self.quiet_trials}, expected 0 or more",
        )


@dataclass(frozen=True, kw_only=True)
class LifetimeOptions:
    """One lifetime but for its rule: many trials of one task, plastic weights starting at zero.

    The section `lifetime` of a configuration; with its rule it is a `LifetimeConfig`.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    num_trials: int = 400
    """K, trials of a lifetime."""
    scored_trials: int = 100
    """The last trials, over which fitness and accuracy are taken."""
    target_low: float = 0.1
    """Target rate of the response neuron of a wrong action."""
    target_high: float = 0.9
    """Target rate of the response neuron of the right action."""
    feedback: Feedback = "loss"
    """What the two feedback neurons carry: the loss on both; or opposed: correctness +-1, twice
    (correctness - its running mean), graded: twice (1/2 - loss), twice (running mean of the loss -
    loss), the task's own reward, or reward minus its running mean. In self-paced trials it comes at
    the step after: rewards after each step, the rest after a trial."""
    fitness: Fitness = "loss"
    """What evolution makes small over the scored trials: their mean loss, or minus the share of
    right answers, or minus the mean reward."""
    reward_weight: float = 0.0
    """Times the mean reward of the scored trials, taken off the fitness "loss" or "accuracy". A
    squared error alone is smallest for whoever hedges, a reward alone may be got by doing nothing,
    and answers alone are as right after any haste before they are due."""
    retention_weight: float = 0.0
    """Of streams: what the probes of tasks taught before weigh in the loss, 0 to 1, against those
    of the task just taught."""
    smoothness_penalty: float = 0.0
    """Weight of sum_t (mod(t) - mod(t-1))^2 in the fitness, summed over trials from `first_trial`
    on and divided by all trials; of rules that the network modulates, published 0.27."""
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)
    """The rate network."""
    birth: BirthConfig = field(default_factory=BirthConfig)
    """Where the weights of a newborn come from."""
    perturbation: PerturbationConfig = field(default_factory=PerturbationConfig)
    """The noise that plasticity explores with."""

    def __post_init__(self) -> None:
        require(self.num_trials >= 1, f"num_trials is {self.num_trials}, expected at least 1")
        require(
            1 <= self.scored_trials <= self.num_trials,
            f"scored_trials is {self.scored_trials}, expected 1 to num_trials = {self.num_trials}",
        )
        require(
            0 <= self.target_low < self.target_high <= 1,
            f"targets ({self.target_low}, {self.target_high}) must be ordered within [0, 1]",
        )
        require(
            0 <= self.retention_weight <= 1,
            f"retention_weight is {self.retention_weight}, expected 0 to 1",
        )
        require(
            self.reward_weight == 0 or (self.fitness != "reward" and self.reward_weight > 0),
            f"reward_weight is {self.reward_weight} with fitness {self.fitness!r}; expected 0, or "
            "more than 0 with fitness 'loss' or 'accuracy'",
        )


@dataclass(frozen=True, kw_only=True)
class LifetimeConfig(LifetimeOptions):
    """One lifetime, rule and modulation included: all that an engine needs to know about it.

    The defaults are the published setting, node perturbation gated by the outcome.

    Raises:
        UsageError: a number out of its range, options that the rule does not have, or a modulation
            of what it does not modulate.
    """

    rule: RuleConfig = field(default_factory=RuleConfig)
    """How weights change."""
    modulation: ModulationConfig = field(default_factory=ModulationConfig)
    """What modulatory neurons, and outcomes, act on."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.modulation.require_rule(self.rule.table)
        require(
            self.smoothness_penalty == 0 or self.rule.table.modulator == "network",
            f"smoothness_penalty is {self.smoothness_penalty}, but rule {self.rule.name!r} has no "
            "modulatory signal to be smooth; set it to 0, or choose a rule that the network "
            "modulates",
        )

    @property
    def quiet_trials(self) -> int:
        """The last trials, which are not perturbed: those chosen, else as the rule has it."""
        chosen = self.perturbation.quiet_trials
        return self.rule.constants.quiet_trials if chosen is None else chosen

    @property
    def schedule(self) -> Schedule:
        """How an engine may touch the matrices: as the rule has it, if all targets have one M."""
        fanned_out = self.modulation.onto("plasticity") is not None
        return "every_step" if fanned_out else self.rule.schedule

    @classmethod
    def of(
        cls,
        options: LifetimeOptions,
        rule: RuleConfig,
        modulation: ModulationConfig,
    ) -> LifetimeConfig:
        """The lifetime that sections of a configuration describe.

        Raises:
            UsageError: they contradict each other.
        """
        chosen = {each.name: getattr(options, each.name) for each in fields(LifetimeOptions)}
        return cls(**chosen, rule=rule, modulation=modulation)
