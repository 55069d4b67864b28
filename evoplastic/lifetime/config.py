"""What a lifetime is: the choices of an experimenter, frozen, checked, and free of any engine.

Every field says which published value it has in Miconi (2023), ICML (PMLR 202:24756), "Learning
to acquire novel cognitive tasks with evolution, plasticity and meta-meta-learning".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from evoplastic.checks import require

Modulation = Literal["external", "internal"]
Baseline = Literal["kind", "single", "none"]
Feedback = Literal["loss", "correct", "prediction_error", "reward", "reward_prediction_error"]
Outcome = Literal["graded", "binary", "reward"]
Fitness = Literal["loss", "reward"]
Gate = Literal["always", "feedback"]
Noise = Literal["pair", "shared"]

# For whoever reads a configuration file: unknown keys are refused, docstrings explain the known.
SECTION: dict[str, str | bool] = {"extra": "forbid", "use_attribute_docstrings": True}

BINARY_LOSS_CORRECT = 0.1  # loss that a correct and a wrong trial count as with outcome "binary";
BINARY_LOSS_WRONG = 0.6  # close to the graded losses of a confident right and wrong answer


@dataclass(frozen=True, kw_only=True)
class DynamicsConfig:
    """The rate network within a trial (Miconi 2023, section 2.2)."""

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    tau_ms: float = 100.0
    """Time constant of a neuron."""
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
        require(self.tau_ms > 0, f"tau_ms is {self.tau_ms}, expected a positive time constant")


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
    quiet_trials: int = 19
    """The last trials of a lifetime are not perturbed (0 with internal modulation)."""
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
        require(self.quiet_trials >= 0, f"quiet_trials is {self.quiet_trials}, expected 0 or more")


@dataclass(frozen=True, kw_only=True)
class PlasticityConfig:
    """How the plastic weights p change within a lifetime (Miconi 2023, section 2.3).

    external, once per trial at the first feedback step (the last step of a trial that runs
    freely), with L the outcome and b its baseline:
        p += clip(-eta * elig * b * (L - b), -max_change, max_change)
        p += clip(-eta * elig * L, -max_change, max_change)                without a baseline
      and with the outcome "reward", L = minus the reward of the trial:
        p += clip(-eta * elig * (L - b), -max_change, max_change)
    internal, at every gated step, with mod = rate of modulator 0 - rate of modulator 1:
        p += clip(eta * elig * mod, -max_change, max_change)
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    modulation: Modulation = "external"
    """Who gates plasticity: the outcome from outside, or the network's own modulatory neurons."""
    eta: float = 0.03
    """Learning rate of a lifetime; 3e-4 with internal modulation."""
    tau_elig_ms: float = 1000.0
    """Time constant of the eligibility trace."""
    max_change: float = 0.01
    """Largest change of one plastic weight at one update."""
    first_trial: int = 31
    """Trials before this one change nothing; 11 with internal modulation."""
    baseline: Baseline = "kind"
    """Running mean of the outcome: one per trial kind (an oracle), a single one, or none."""
    baseline_decay: float = 0.9
    """Share of a running mean that survives a trial."""
    outcome: Outcome = "graded"
    """What the external rule sees: the graded loss, 0.1 / 0.6 for right / wrong (the loss feedback
    then carries these too), or the task's own reward."""
    gate: Gate = "always"
    """Internal modulation acts at every step, or while feedback is heard only: in the feedback
    window of a paced trial, at the first step after a trial that ran freely."""

    def __post_init__(self) -> None:
        require(self.eta >= 0, f"eta is {self.eta}, expected 0 or more")
        require(
            self.tau_elig_ms > 0, f"tau_elig_ms is {self.tau_elig_ms}, expected a positive duration"
        )
        require(self.max_change > 0, f"max_change is {self.max_change}, expected more than 0")
        require(self.first_trial >= 0, f"first_trial is {self.first_trial}, expected 0 or more")
        require(
            0 <= self.baseline_decay < 1,
            f"baseline_decay is {self.baseline_decay}, expected a share in [0, 1)",
        )


@dataclass(frozen=True, kw_only=True)
class LifetimeConfig:
    """One lifetime: many trials of one task, plastic weights starting at zero.

    The defaults are the published setting with external modulation.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    num_trials: int = 400
    """K, trials of a lifetime."""
    scored_trials: int = 100
    """The last trials, over which fitness and accuracy are taken."""
    target_low: float = 0.1
    """What the response neuron of a wrong action is asked for."""
    target_high: float = 0.9
    """What the response neuron of the right action is asked for."""
    feedback: Feedback = "loss"
    """What the two feedback neurons carry: the loss on both; or opposed: correctness +-1, twice
    (correctness - its running mean), the task's own reward, or reward minus its running mean. In
    trials that run freely it is heard at the step after: rewards after each step, the rest after
    a trial."""
    fitness: Fitness = "loss"
    """What evolution makes small over the scored trials: their mean loss, or minus their mean
    reward."""
    reward_weight: float = 0.0
    """Times the mean reward of the scored trials, taken off the fitness "loss". A squared error
    alone is smallest for whoever hedges, a reward alone may be got by doing nothing."""
    smoothness_penalty: float = 0.0
    """Weight of sum_t (mod(t) - mod(t-1))^2 in the fitness, summed over trials from `first_trial`
    on and divided by all trials; internal modulation only, published 0.27."""
    dynamics: DynamicsConfig = field(default_factory=DynamicsConfig)
    """The rate network."""
    perturbation: PerturbationConfig = field(default_factory=PerturbationConfig)
    """The noise that plasticity explores with."""
    plasticity: PlasticityConfig = field(default_factory=PlasticityConfig)
    """How weights change."""

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
            self.reward_weight == 0 or (self.fitness == "loss" and self.reward_weight > 0),
            f"reward_weight is {self.reward_weight} with fitness {self.fitness!r}; expected 0, or "
            "more than 0 with fitness 'loss'",
        )
        require(
            self.smoothness_penalty == 0 or self.plasticity.modulation == "internal",
            f"smoothness_penalty is {self.smoothness_penalty}, but only internal modulation has a "
            "modulatory signal to be smooth; set it to 0 or plasticity.modulation to internal",
        )
        require(
            self.plasticity.gate == "always" or self.plasticity.modulation == "internal",
            "plasticity.gate 'feedback' needs plasticity.modulation 'internal': external "
            "plasticity happens once per trial anyway",
        )


def published_internal() -> LifetimeConfig:
    """Internal modulation with its published constants (Miconi 2023, code; untested there)."""
    return LifetimeConfig(
        smoothness_penalty=0.27,
        perturbation=PerturbationConfig(quiet_trials=0),
        plasticity=PlasticityConfig(modulation="internal", eta=3e-4, first_trial=11),
    )
