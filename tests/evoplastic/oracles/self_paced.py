"""An independent account of a lifetime whose trials run freely: float64 scalars, Python loops.

Written from the docstrings of `evoplastic.lifetime.config`, `evoplastic.trials.table` and
`evoplastic.trials.wiring`, never from an engine. It shares with the engines the words of
`evoplastic.random.counters` and the drawn wiring alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import BINARY_LOSS_CORRECT, BINARY_LOSS_WRONG, LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random import counters as noise
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, UNSCORED
from tests.evoplastic.oracles.fixed_timing import perturbation

Matrix = list[list[float]]


@dataclass
class FreeLife:
    """One lifetime: the record of every trial, the state at its end, and what happened in it."""

    loss_K: list[float]
    correct_K: list[bool]
    reward_K: list[float]
    steps_K: list[int]
    choices: list[int]
    heard: list[tuple[float, float]]
    changed: set[tuple[int, int]]  # (trial, step) at which a plastic weight changed
    clipped: int
    smoothness: float
    x_N: list[float]
    rate_N: list[float]
    p_NN: Matrix
    elig_NN: Matrix
    baseline: list[float]
    mean_correct: float
    mean_reward: float


def run_self_paced(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    individual: int,
) -> FreeLife:
    """Live one individual's lifetime; one long function, to be read from birth to death."""
    banks = batch.tasks
    assert isinstance(banks, StackedTables)
    assert batch.wiring is not None
    N, dynamics, plasticity = groups.num_neurons, config.dynamics, config.rule
    task = int(batch.task_P[individual])
    num_inputs, num_actions = int(banks.num_inputs_B[task]), int(banks.num_actions_B[task])
    input_line = batch.wiring.input_PI[individual].tolist()
    action_line = batch.wiring.action_PO[individual].tolist()
    feedback0, bias = groups.num_inputs, groups.num_inputs + 2
    action0, response0 = bias + 1, N - groups.num_outputs
    mod0 = response0 - 2
    w: Matrix = params.w_PNN[individual].double().tolist()
    alpha: Matrix = params.alpha_PNN[individual].double().tolist()
    leak = banks.dt_ms / dynamics.tau_ms
    keep = 1.0 - banks.dt_ms / plasticity.constants.tau_elig_ms

    def show(rate: list[float], node: int) -> None:
        for line in range(groups.num_inputs):
            rate[line] = 0.0
        for channel in range(num_inputs):
            seen = float(banks.observation_VI[node, channel])
            rate[input_line[channel]] = dynamics.stimulus_gain * seen

    start, size = int(banks.start_B[task]), int(banks.size_B[task])
    block = int(banks.block_B[task])
    place = _first_block(batch, individual, size // block) * block
    node = int(banks.first_M[start + place])

    x = [0.0 if i <= bias else dynamics.initial_activation for i in range(N)]
    rate = [0.0 if i < action0 + groups.num_outputs else x[i] for i in range(N)]
    rate[bias] = dynamics.bias_rate
    show(rate, node)
    p: Matrix = [[0.0] * N for _ in range(N)]
    elig: Matrix = [[0.0] * N for _ in range(N)]
    baseline = [0.0] * (banks.num_kinds if plasticity.baseline == "kind" else 1)
    mean_correct, mean_reward, roughness, clipped = 1.0 / groups.num_outputs, 0.0, 0.0, 0
    loss_K: list[float] = []
    correct_K: list[bool] = []
    reward_K: list[float] = []
    steps_K: list[int] = []
    choices: list[int] = []
    heard: list[tuple[float, float]] = []
    changed: set[tuple[int, int]] = set()

    def change(factor: float, trial: int, step: int) -> int:
        cut = 0
        for i in range(N):
            for j in range(N):
                delta = factor * elig[i][j]
                if abs(delta) > plasticity.constants.max_change:
                    delta = math.copysign(plasticity.constants.max_change, delta)
                    cut += 1
                if delta != 0.0:
                    changed.add((trial, step))
                p[i][j] += delta
        return cut

    for trial in range(config.num_trials):
        kind = int(banks.kind_M[start + place]) if plasticity.baseline == "kind" else 0
        errors: dict[int, list[float]] = {HOLD: [], ANSWER: []}
        total, step, over, mod_before = 0.0, 0, False, 0.0
        while not over:
            xi = [perturbation(batch, groups, config, individual, trial, step, i) for i in range(N)]
            before = list(rate)
            for i in range(N):
                drive = sum((w[i][j] + alpha[i][j] * p[i][j]) * before[j] for j in range(N))
                x[i] = x[i] + leak * (drive - x[i]) + xi[i]
                for j in range(N):
                    elig[i][j] = keep * (elig[i][j] + xi[i] * before[j])
            for i in range(N):
                rate[i] = math.tanh(x[i]) if i < response0 else 1.0 / (1.0 + math.exp(-x[i]))

            answers = [rate[response0 + action_line[o]] for o in range(num_actions)]
            choice = answers.index(max(answers))
            choices.append(choice)
            part, asked = int(banks.flags_V[node]), int(banks.target_action_V[node])
            if part != UNSCORED:
                wanted = [
                    config.target_high if o == asked else config.target_low
                    for o in range(num_actions)
                ]
                errors[part].append(sum((a - b) ** 2 for a, b in zip(answers, wanted, strict=True)))
            earned = float(banks.reward_VO[node, choice])
            onward = int(banks.next_VO[node, choice])
            total += earned
            over, correct = onward < 0, onward == OVER_RIGHT

            if (
                plasticity.table.modulator == "network"
                and trial >= plasticity.constants.first_trial
            ):
                mod = rate[mod0] - rate[mod0 + 1]
                if step > 0:
                    roughness += (mod - mod_before) ** 2
                mod_before = mod
                if plasticity.gate == "always" or (step == 0 and trial > 0):
                    clipped += change(plasticity.constants.eta * mod, trial, step)

            opposed: float | None = None
            pair = (0.0, 0.0)
            if config.feedback in ("reward", "reward_prediction_error"):
                opposed = earned
                if config.feedback == "reward_prediction_error" and over:
                    opposed -= mean_reward
            if over:
                means = [sum(found) / len(found) for found in errors.values() if found]
                loss = sum(means) / len(means) if means else 0.0
                shown = loss
                if plasticity.outcome == "binary":
                    shown = BINARY_LOSS_CORRECT if correct else BINARY_LOSS_WRONG
                seen = -total if plasticity.outcome == "reward" else shown
                if (
                    plasticity.table.modulator == "outcome"
                    and trial >= plasticity.constants.first_trial
                ):
                    gate, expected = seen, baseline[kind]
                    if plasticity.baseline != "none":
                        gate = seen - expected
                        if plasticity.outcome != "reward":
                            gate *= expected
                    clipped += change(-plasticity.constants.eta * gate, trial, step)
                if config.feedback == "loss":
                    pair = (shown, shown)
                elif config.feedback == "correct":
                    opposed = 1.0 if correct else -1.0
                elif config.feedback == "prediction_error":
                    opposed = 2.0 * (float(correct) - mean_correct)
                decay = plasticity.baseline_decay
                baseline[kind] = decay * baseline[kind] + (1.0 - decay) * seen
                mean_correct = decay * mean_correct + (1.0 - decay) * float(correct)
                mean_reward = decay * mean_reward + (1.0 - decay) * total
                loss_K.append(loss)
                correct_K.append(correct)
                reward_K.append(total)
                steps_K.append(step + 1)
                place = (place + 1) % size
                onward = int(banks.first_M[start + place])
            if opposed is not None:
                pair = (opposed, -opposed)
            heard.append(pair)

            node = onward
            show(rate, node)
            for line in range(2):
                rate[feedback0 + line] = dynamics.feedback_gain * pair[line]
            rate[bias] = dynamics.bias_rate
            for line in range(groups.num_outputs):
                taken = line == action_line[choice]
                rate[action0 + line] = dynamics.action_gain if taken else 0.0
            step += 1

    return FreeLife(
        loss_K,
        correct_K,
        reward_K,
        steps_K,
        choices,
        heard,
        changed,
        clipped,
        roughness / config.num_trials,
        x,
        rate,
        p,
        elig,
        baseline,
        mean_correct,
        mean_reward,
    )


def _first_block(batch: LifetimeBatch, individual: int, num_blocks: int) -> int:
    """The block at which a life begins: the word of its trial 0 times the blocks, high half."""
    purpose = noise.Purpose.EVALUATION_TRIAL if batch.evaluation else noise.Purpose.TRIAL
    stream = int(batch.trial_stream_P[individual])
    word = int(noise.words(batch.seed, purpose, batch.epoch, stream, 0, 1)[0])
    return word * num_blocks // 2**32
