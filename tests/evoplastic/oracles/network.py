"""An independent account of a plastic network: float64 scalars, Python loops, one individual.

Written from the equations of Miconi (2023), ICML (PMLR 202:24756), from the equations in
`evoplastic.rules.table` and `evoplastic.modulation.table` and from the docstrings of the
configuration, never from an engine. It shares with the engines only the words of
`evoplastic.random.counters`, because those are the definition of the random numbers.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random import counters as noise
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.table import Term

Matrix = list[list[float]]


@dataclass
class Events:
    """How often a lifetime did what a test claims to exercise."""

    hits: int = 0  # perturbations that landed
    hit_trials: set[int] = field(default_factory=set)
    hit_steps: set[int] = field(default_factory=set)
    hit_neurons: set[int] = field(default_factory=set)
    changes: int = 0  # changes of a plastic weight that were not 0
    clipped: int = 0  # changes that max_change cut
    bounded: int = 0  # plastic weights that max_p cut
    changed: set[tuple[int, int]] = field(default_factory=set)  # trial and step of each
    feedback: list[tuple[float, float]] = field(default_factory=list)  # before its gain

    @property
    def change_trials(self) -> set[int]:
        """Trials in which a plastic weight changed."""
        return {trial for trial, _ in self.changed}

    @property
    def change_steps(self) -> set[int]:
        """Steps of a trial at which a plastic weight changed."""
        return {step for _, step in self.changed}


class Network:
    """One individual's network with its state, its running means and what happened in it."""

    def __init__(
        self,
        params: PlasticParams,
        groups: NeuronGroups,
        batch: LifetimeBatch,
        config: LifetimeConfig,
        individual: int,
        dt_ms: float,
        num_kinds: int,
    ) -> None:
        self.groups, self.batch, self.config, self.individual = groups, batch, config, individual
        self.rule, self.chosen, self.dynamics = config.rule.table, config.rule, config.dynamics
        self.constants = config.rule.constants
        self.size = groups.num_neurons
        self.feedback = groups.num_inputs  # the first neuron of each group
        self.bias = self.feedback + 2
        self.action = self.bias + 1
        self.response = self.size - groups.num_outputs
        self.modulator = self.response - groups.num_modulators
        self.fan_outs: dict[str, Matrix | None] = {
            target: None if part is None else part[individual].double().tolist()
            for target, part in zip(
                ("plasticity", "gain", "threshold"), params.modulation, strict=True
            )
        }
        self.w: Matrix = params.w_PNN[individual].double().tolist()
        self.alpha: Matrix = params.alpha_PNN[individual].double().tolist()
        tau_N = _of_neurons(self.dynamics.tau_ms, params.intrinsic.tau_ms_PN, individual, self.size)
        self.leak = [dt_ms / tau for tau in tau_N]
        self.threshold = _of_neurons(
            self.dynamics.threshold, params.intrinsic.threshold_PN, individual, self.size
        )
        evolved = params.rule
        tau_ms, decay = self.constants.tau_elig_ms, 0.0
        if isinstance(self.chosen.baseline_decay, float):
            decay = self.chosen.baseline_decay
        if evolved.tau_elig_ms_P is not None:
            tau_ms = float(evolved.tau_elig_ms_P[individual])
        if evolved.baseline_decay_P is not None:
            decay = float(evolved.baseline_decay_P[individual])
        self.retention, self.decay = 1.0 - dt_ms / tau_ms, decay
        self.coefficients = [
            _coefficients(term, self.chosen, params, individual) for term in self.rule.change
        ]
        start = self.dynamics.initial_activation
        self.x = [0.0 if i <= self.bias else start for i in range(self.size)]
        self.rate = list(self.x)
        self.rate[self.bias] = self.dynamics.bias_rate
        self.before = list(self.rate)  # rates before the present step
        self.started = False  # whether there was a step whose rates the means lack
        self.taught = True  # at probes nothing is learnt
        self.xi = [0.0] * self.size
        self.mean = [0.0] * self.size  # running means, without the rates of the present step
        self.p: Matrix = [[0.0] * self.size for _ in range(self.size)]
        self.elig: Matrix = [[0.0] * self.size for _ in range(self.size)]
        self.baseline = [0.0] * (num_kinds if self.chosen.baseline == "kind" else 1)
        self.mean_correct = 1.0 / groups.num_outputs
        self.mean_reward = 0.0
        self.mean_loss = 1.0 - 1.0 / groups.num_outputs
        self.roughness = 0.0
        self.mods: list[float] = []  # of the present trial
        self.sent: Matrix = []  # what the network sends to plasticity, of the present trial
        self.events = Events()

    def step(self, trial: int, step: int) -> None:
        """x' = x + leak (w_eff rate - x) + xi, rate = g f(x - theta); nothing is clamped yet."""
        if step == 0:
            self.sent = []
        self._advance_means()
        self.started = True
        self.before = list(self.rate)
        self.xi = [self._perturbation(trial, step, i) for i in range(self.size)]
        for i in range(self.size):
            drive = 0.0
            for j in range(self.size):
                drive += (self.w[i][j] + self.alpha[i][j] * self.p[i][j]) * self.before[j]
            self.x[i] += self.leak[i] * (drive - self.x[i]) + self.xi[i]
            if self.xi[i] != 0.0:
                self.events.hits += 1
                self.events.hit_trials.add(trial)
                self.events.hit_steps.add(step)
                self.events.hit_neurons.add(i)
        for i in range(self.size):
            above = self.x[i] - self.threshold[i]
            above -= self._reaching("threshold", i, self._released(self.before), 0.0)
            gate = self._reaching("gain", i, self._released(self.before), 0.0)
            value = 1.0 / (1.0 + math.exp(-above)) if i >= self.response else math.tanh(above)
            self.rate[i] = 2.0 / (1.0 + math.exp(-gate)) * value

    def _advance_means(self) -> None:
        """mean' = keep * mean + (1 - keep) * rate, with the rates of the last step."""
        keep = self.constants.mean_keep
        if self.started:
            self.mean = [
                keep * m + (1.0 - keep) * r for m, r in zip(self.mean, self.rate, strict=True)
            ]

    def learnt(self) -> tuple[Any, ...]:
        """What a probe leaves as it is."""
        self._advance_means()
        self.started = False
        kept = self.p, self.elig, self.baseline, self.mean, self.mean_correct
        return copy.deepcopy((*kept, self.mean_reward, self.mean_loss))

    def unlearn(self, kept: tuple[Any, ...]) -> None:
        """Be as before a probe, but for activity."""
        self.started = False
        self.p, self.elig, self.baseline, self.mean, self.mean_correct, *means = kept
        self.mean_reward, self.mean_loss = means

    def _released(self, rates: list[float]) -> list[float]:
        """m_k."""
        return rates[self.modulator : self.response]

    def _reaching(self, target: str, i: int, signals: list[float], otherwise: float) -> float:
        """sum_k fan_out_ik signal_k, if there is such a channel."""
        fan_out = self.fan_outs[target]
        if fan_out is None:
            return otherwise
        return sum(f * signal for f, signal in zip(fan_out[i], signals, strict=True))

    def credit(self) -> None:
        """trace' = retention * (trace + sum over credits of post_i * pre_j)."""
        self.elig_before = [list(row) for row in self.elig]
        for i in range(self.size):
            for j in range(self.size):
                for credit in self.rule.credits:
                    self.elig[i][j] += self._post(credit.post, i) * self._pre(credit.pre, j)
                self.elig[i][j] *= self.retention

    def modulate(self, trial: int, step: int) -> None:
        """Note the modulatory signal, and how much it jumped, where the network modulates."""
        released = self._released(self.rate)
        self.mods.append(sum(m if k % 2 == 0 else -m for k, m in enumerate(released)))
        self.sent.append(self.mods[-1:] if self.fan_outs["plasticity"] is None else released)
        if self.rule.modulator == "network" and self._may_change(trial) and step > 0:
            for now, earlier in zip(self.sent[-1], self.sent[-2], strict=True):
                self.roughness += (now - earlier) ** 2

    def change(
        self, trial: int, step: int, *, feedback: bool, outcome: tuple[float, int] | None
    ) -> None:
        """Change the plastic weights, if the rule does so now.

        p' = p + clip(sum over terms of M * sign * coefficients * post_i * pre_j * p * trace), which
        is clipped or divided by its largest magnitude if the rule says so.

        Args:
            trial: number of the trial.
            step: number of the step.
            feedback: whether feedback is given at this step, for a gate that waits for it.
            outcome: outcome of the trial and its column of the baselines, if it is known now.
        """
        if not self._may_change(trial):
            return
        if self.rule.when == "outcome" and outcome is None:
            return
        if self.rule.when == "step" and self.chosen.gate == "feedback" and not feedback:
            return
        traces = self.elig if self.rule.trace_first else self.elig_before
        signals = [1.0]
        if self.rule.modulator == "network":
            signals = self.sent[-1]
        elif self.rule.modulator == "outcome":
            assert outcome is not None
            signals = [self._gate(*outcome)]
        for i in range(self.size):
            modulation = self._reaching("plasticity", i, signals, signals[0])
            for j in range(self.size):
                total = 0.0
                for term, coefficient in zip(self.rule.change, self.coefficients, strict=True):
                    value = term.sign * coefficient[i][j]
                    value *= self._post(term.post, i) * self._pre(term.pre, j)
                    value *= self.p[i][j] if term.p else 1.0
                    value *= traces[i][j] if term.trace else 1.0
                    total += modulation * value if term.modulated else value
                change = self._clipped(total, trial, step)
                self.p[i][j] = self._bounded(self.p[i][j] + change)
        if self.rule.normalises:
            first = self.action + self.groups.num_outputs  # neurons before it are clamped
            largest = max(abs(p) for row in self.p[first:] for p in row)
            if largest > 0:
                self.p = [[p / largest for p in row] for row in self.p]

    def _may_change(self, trial: int) -> bool:
        return self.taught and trial >= self.constants.first_trial

    def seen(self, loss: float, correct: bool, reward: float) -> float:
        """L, the outcome of a trial."""
        return -reward if self.chosen.outcome == "reward" else self.shown_loss(loss, correct)

    def shown_loss(self, loss: float, correct: bool) -> float:
        """The loss that feedback carries."""
        if self.chosen.outcome != "binary":
            return loss
        return BINARY_LOSS_CORRECT if correct else BINARY_LOSS_WRONG

    def remember(
        self, column: int, outcome: float, correct: bool, reward: float, shown_loss: float
    ) -> None:
        """Advance the running means."""
        decay = self.decay
        self.baseline[column] = decay * self.baseline[column] + (1.0 - decay) * outcome
        self.mean_correct = decay * self.mean_correct + (1.0 - decay) * float(correct)
        self.mean_reward = decay * self.mean_reward + (1.0 - decay) * reward
        self.mean_loss = decay * self.mean_loss + (1.0 - decay) * shown_loss

    def _gate(self, outcome: float, column: int) -> float:
        expected = self.baseline[column]
        if self.chosen.baseline == "none":
            return outcome
        if self.chosen.outcome == "reward":
            return outcome - expected
        return expected * (outcome - expected)

    def _post(self, name: str, i: int) -> float:
        return _factor(name, self.rate[i], self.xi[i], self.mean[i])

    def _pre(self, name: str, j: int) -> float:
        return _factor(name, self.before[j], self.xi[j], self.mean[j])

    def _clipped(self, change: float, trial: int, step: int) -> float:
        if change != 0.0:
            self.events.changes += 1
            self.events.changed.add((trial, step))
        limit = self.constants.max_change
        if self.rule.clips_change and abs(change) > limit:
            self.events.clipped += 1
            return math.copysign(limit, change)
        return change

    def _bounded(self, p: float) -> float:
        limit = self.constants.max_p
        if self.rule.clips_p and abs(p) > limit:
            self.events.bounded += 1
            return math.copysign(limit, p)
        return p

    def _perturbation(self, trial: int, step: int, neuron: int) -> float:
        """The perturbation of one neuron at one step, 0 where it is spared."""
        chosen, batch = self.config.perturbation, self.batch
        modulatory = self.modulator <= neuron < self.response
        hidden = self.action + self.groups.num_outputs <= neuron < self.modulator
        spared = (modulatory and not chosen.perturb_modulators) or (
            hidden and not chosen.perturb_hidden
        )
        quiet = trial >= self.config.num_trials - self.config.quiet_trials
        late = chosen.stop_step is not None and step >= chosen.stop_step
        if step < chosen.first_step or late or quiet or spared or not self.taught:
            return 0.0
        purposes = noise.Purpose
        purpose = purposes.EVALUATION_PERTURBATION if batch.evaluation else purposes.PERTURBATION
        quarter = -(-self.size // 4)
        counter = (
            step * quarter + neuron % quarter,
            trial,
            int(batch.perturb_stream_P[self.individual]),
            noise.purpose_word(purpose, batch.epoch),
        )
        word = noise.philox(counter, noise.seed_key(batch.seed))[neuron // quarter]
        threshold, centre, scale = noise.perturbation_constants(
            chosen.probability, chosen.amplitude
        )
        return float(np.float32(word - centre) * scale) if word < threshold else 0.0


def _of_neurons(
    chosen: float | Evolvable, evolved: Tensor | None, individual: int, size: int
) -> list[float]:
    """A number of each neuron: the genome's, or the recipe's for all."""
    if evolved is not None:
        return [float(value) for value in evolved[individual]]
    assert not isinstance(chosen, Evolvable)
    return [chosen] * size


def _factor(name: str, rate: float, xi: float, mean: float) -> float:
    if name == "noise":
        return xi
    if name.startswith("centred"):
        return (rate - mean) ** (3 if name.endswith("cubed") else 1)
    powers = {"one": 0, "rate": 1, "rate_squared": 2, "rate_cubed": 3}
    return float(rate ** powers[name])


def _coefficients(term: Term, chosen: RuleConfig, params: PlasticParams, individual: int) -> Matrix:
    """What a term is multiplied by at each connection, its sign aside."""
    size = params.w_PNN.shape[1]
    evolved = params.rule.coefficients.get(term.coefficients)
    if evolved is None:
        constants = [chosen.settings[name] for name in term.coefficients]
        product = 1.0
        for constant in constants:
            assert isinstance(constant, float | int)
            product *= constant
        return [[product] * size for _ in range(size)]
    target, source, pair = (
        None if part is None else part[individual].double().tolist() for part in evolved
    )
    return [
        [
            (1.0 if target is None else target[i])
            * (1.0 if source is None else source[j])
            * (1.0 if pair is None else pair[i][j])
            for j in range(size)
        ]
        for i in range(size)
    ]
