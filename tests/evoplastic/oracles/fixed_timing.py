"""An independent account of a lifetime: float64 scalars, Python loops, one individual at a time.

Written from the equations of Miconi (2023), ICML (PMLR 202:24756), and from the option docstrings
of `evoplastic.lifetime.config`, never from an engine. It shares with the engines only the words of
`evoplastic.random.counters`, because those are the definition of the random numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random import counters as noise

Float64Array = NDArray[np.float64]
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
    change_trials: set[int] = field(default_factory=set)
    change_steps: set[int] = field(default_factory=set)
    feedback: list[tuple[float, float]] = field(default_factory=list)  # one pair per trial


@dataclass
class OracleLife:
    """One lifetime: the record of every trial, and the state at its end."""

    loss_K: list[float]
    correct_K: list[bool]
    reward_K: list[float]
    entry_K: list[int]
    choice_K: list[int]
    mod_KT: Matrix
    smoothness: float
    x_N: list[float]
    rate_N: list[float]
    p_NN: Matrix
    elig_NN: Matrix
    baseline: list[float]  # one per trial kind, or a single one
    mean_correct: float
    mean_reward: float
    events: Events


def live(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    individual: int,
) -> OracleLife:
    """Live one individual's lifetime, in the order of the published code.

    One long function on purpose: it can be held against the published loop line by line.
    """
    size = groups.num_neurons
    dynamics, plasticity = config.dynamics, config.rule
    tables, fixed = batch.tables, batch.tables.fixed
    timing = fixed.timing
    w: Matrix = params.w_PNN[individual].double().tolist()
    alpha: Matrix = params.alpha_PNN[individual].double().tolist()
    leak = timing.dt_ms / dynamics.tau_ms
    elig_decay = 1.0 - timing.dt_ms / plasticity.constants.tau_elig_ms
    num_response = timing.response[1] - timing.response[0]
    mod_first = size - groups.num_outputs - 2
    response_first = size - groups.num_outputs
    feedback_first = groups.num_inputs
    bias = feedback_first + 2
    action_first = bias + 1

    x = [0.0 if i <= bias else dynamics.initial_activation for i in range(size)]
    rate = list(x)
    rate[bias] = dynamics.bias_rate
    p = [[0.0] * size for _ in range(size)]
    elig = [[0.0] * size for _ in range(size)]
    num_baselines = batch.tasks.num_kinds if plasticity.baseline == "kind" else 1
    baseline = [0.0] * num_baselines
    mean_correct = 1.0 / groups.num_outputs
    mean_reward = 0.0
    events = Events()
    loss_K: list[float] = []
    correct_K: list[bool] = []
    reward_K: list[float] = []
    entry_K: list[int] = []
    choice_K: list[int] = []
    mod_KT: Matrix = []
    roughness = 0.0

    for trial in range(config.num_trials):
        entry = bank_entry(batch, individual, trial)
        asked = int(fixed.target_action_M[entry])
        wanted = [
            config.target_high if action == asked else config.target_low
            for action in range(groups.num_outputs)
        ]
        loss = 0.0
        activity = [0.0] * groups.num_outputs
        feedback = (0.0, 0.0)
        choice = -1
        mod_T: list[float] = []

        for step in range(timing.num_steps):
            before = list(rate)
            xi = [
                perturbation(batch, groups, config, individual, trial, step, i) for i in range(size)
            ]
            for i in range(size):
                drive = 0.0
                for j in range(size):
                    drive += (w[i][j] + alpha[i][j] * p[i][j]) * before[j]
                x[i] += leak * (-x[i] + drive)
                x[i] += xi[i]
                if xi[i] != 0.0:
                    events.hits += 1
                    events.hit_trials.add(trial)
                    events.hit_steps.add(step)
                    events.hit_neurons.add(i)
            for i in range(size):
                for j in range(size):
                    elig[i][j] += xi[i] * before[j]
                    elig[i][j] *= elig_decay

            for i in range(response_first):
                rate[i] = math.tanh(x[i])
            for i in range(response_first, size):
                rate[i] = 1.0 / (1.0 + math.exp(-x[i]))
            for line in range(groups.num_inputs):
                shown = float(fixed.stimulus_MTI[entry, step, line])
                rate[line] = dynamics.stimulus_gain * shown
            rate[bias] = dynamics.bias_rate

            if timing.response[0] <= step < timing.response[1]:
                for action in range(groups.num_outputs):
                    answer = rate[response_first + action]
                    loss += (answer - wanted[action]) ** 2 / num_response
                    activity[action] += answer
            else:
                for i in range(response_first, size):
                    rate[i] = 0.0

            mod = rate[mod_first] - rate[mod_first + 1]
            if (
                step > 0
                and plasticity.table.modulator == "network"
                and trial >= plasticity.constants.first_trial
            ):
                roughness += (mod - mod_T[-1]) ** 2
            mod_T.append(mod)

            if step == timing.feedback[0]:
                choice = activity.index(max(activity))
                correct = choice == asked
                reward = float(fixed.reward_MO[entry, choice])
                shown = loss
                if plasticity.outcome == "binary":
                    shown = BINARY_LOSS_CORRECT if correct else BINARY_LOSS_WRONG
                seen = -reward if plasticity.outcome == "reward" else shown
                kind = int(tables.kind_M[entry]) if plasticity.baseline == "kind" else 0
                if (
                    plasticity.table.modulator == "outcome"
                    and trial >= plasticity.constants.first_trial
                ):
                    expected = baseline[kind]
                    for i in range(size):
                        for j in range(size):
                            if plasticity.baseline == "none":
                                change = -plasticity.constants.eta * elig[i][j] * seen
                            elif plasticity.outcome == "reward":
                                change = -plasticity.constants.eta * elig[i][j] * (seen - expected)
                            else:
                                change = (
                                    -plasticity.constants.eta
                                    * elig[i][j]
                                    * expected
                                    * (seen - expected)
                                )
                            p[i][j] += clipped(
                                change, plasticity.constants.max_change, events, trial, step
                            )
                decay = plasticity.baseline_decay
                baseline[kind] = decay * baseline[kind] + (1.0 - decay) * seen
                feedback = feedback_pair(config, shown, correct, mean_correct, reward, mean_reward)
                events.feedback.append(feedback)
                mean_correct = decay * mean_correct + (1.0 - decay) * float(correct)
                mean_reward = decay * mean_reward + (1.0 - decay) * reward
                correct_K.append(correct)

            in_feedback = timing.feedback[0] <= step < timing.feedback[1]
            if (
                plasticity.table.modulator == "network"
                and trial >= plasticity.constants.first_trial
                and (plasticity.gate == "always" or in_feedback)
            ):
                for i in range(size):
                    for j in range(size):
                        change = plasticity.constants.eta * elig[i][j] * mod
                        p[i][j] += clipped(
                            change, plasticity.constants.max_change, events, trial, step
                        )

            for line in range(2):
                shown = dynamics.feedback_gain * feedback[line]
                rate[feedback_first + line] = shown if in_feedback else 0.0
            for action in range(groups.num_outputs):
                chosen = in_feedback and action == choice
                rate[action_first + action] = dynamics.action_gain if chosen else 0.0

        loss_K.append(loss)
        reward_K.append(float(fixed.reward_MO[entry, choice]))
        entry_K.append(entry)
        choice_K.append(choice)
        mod_KT.append(mod_T)

    return OracleLife(
        loss_K,
        correct_K,
        reward_K,
        entry_K,
        choice_K,
        mod_KT,
        roughness / config.num_trials,
        x,
        rate,
        p,
        elig,
        baseline,
        mean_correct,
        mean_reward,
        events,
    )


def bank_entry(batch: LifetimeBatch, individual: int, trial: int) -> int:
    """The entry of the stacked banks that a trial asks."""
    purpose = noise.Purpose.EVALUATION_TRIAL if batch.evaluation else noise.Purpose.TRIAL
    banks = batch.tables
    task = int(batch.task_P[individual])
    stream = int(batch.trial_stream_P[individual])
    word = int(noise.words(batch.seed, purpose, batch.epoch, stream, trial, 1)[0])
    return int(banks.start_B[task]) + word * int(banks.size_B[task]) // 2**32


def perturbation(
    batch: LifetimeBatch,
    groups: NeuronGroups,
    config: LifetimeConfig,
    individual: int,
    trial: int,
    step: int,
    neuron: int,
) -> float:
    """The perturbation of one neuron at one step, 0 where it is spared."""
    chosen = config.perturbation
    size = groups.num_neurons
    first_modulator = size - groups.num_outputs - 2
    is_modulator = first_modulator <= neuron < first_modulator + 2
    if (
        step < chosen.first_step
        or trial >= config.num_trials - config.quiet_trials
        or (is_modulator and not chosen.perturb_modulators)
    ):
        return 0.0
    purpose = (
        noise.Purpose.EVALUATION_PERTURBATION if batch.evaluation else noise.Purpose.PERTURBATION
    )
    quarter = -(-size // 4)
    counter = (
        step * quarter + neuron % quarter,
        trial,
        int(batch.perturb_stream_P[individual]),
        noise.purpose_word(purpose, batch.epoch),
    )
    word = noise.philox(counter, noise.seed_key(batch.seed))[neuron // quarter]
    threshold, centre, scale = noise.perturbation_constants(chosen.probability, chosen.amplitude)
    return float(np.float32(word - centre) * scale) if word < threshold else 0.0


def feedback_pair(
    config: LifetimeConfig,
    loss: float,
    correct: bool,
    mean_correct: float,
    reward: float,
    mean_reward: float,
) -> tuple[float, float]:
    """What the two feedback neurons carry, before their gain."""
    if config.feedback == "loss":
        return loss, loss
    if config.feedback == "correct":
        return (1.0, -1.0) if correct else (-1.0, 1.0)
    surprise = 2.0 * (float(correct) - mean_correct)
    if config.feedback == "reward":
        surprise = reward
    elif config.feedback == "reward_prediction_error":
        surprise = reward - mean_reward
    return surprise, -surprise


def clipped(change: float, limit: float, events: Events, trial: int, step: int) -> float:
    """A change of a plastic weight, cut to the limit, and counted."""
    if change != 0.0:
        events.changes += 1
        events.change_trials.add(trial)
        events.change_steps.add(step)
    if abs(change) > limit:
        events.clipped += 1
        return math.copysign(limit, change)
    return change
