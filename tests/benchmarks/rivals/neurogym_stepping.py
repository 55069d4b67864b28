"""Stepping lifetimes in NeuroGym itself: one environment at a time, beside a plain NumPy network.

Written the way a user of NeuroGym writes it: act, step, learn, act again. The learning rule and the
perturbations are those of the engine (published, gated by the outcome), so that a lifetime here
takes the very actions of one there where it is given the engine's perturbations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig, PerturbationConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.draws import trial_perturbations
from evoplastic.rules.config import RuleConfig
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import ANSWER, HOLD
from evoplastic.trials.wiring import WiringConfig, draw_wiring
from evoplastic.types import Interface
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import TRIALS, EnvSource, isolated

TASKS = ("go", "anti", "dlygo", "dm1", "ctxdm1", "multidm", "dms", "dnms")
SEED = 11
CONFIG = LifetimeConfig(
    num_trials=60,
    scored_trials=10,
    perturbation=PerturbationConfig(quiet_trials=5),
    rule=RuleConfig(baseline="single", first_trial=5),
)


Draw = Callable[[int, int], np.ndarray]  # perturbations [N] of a step of a trial


class Yang19(NamedTuple):
    """A population that lives tasks of yang19, and where its trials came from."""

    sources: list[EnvSource]
    banks: list[TrialTable]
    groups: NeuronGroups
    params: PlasticParams
    batch: LifetimeBatch


class Lived(NamedTuple):
    """One lifetime."""

    action_KT: list[list[int]]
    loss_K: list[float]
    reward_K: list[float]


def population(size: int, num_trials: int, dim_ring: int, neurons: int) -> Yang19:
    """Pairs that share task and noise; every lifetime begins at the first trial of its bank."""
    sources = [EnvSource(f"yang19.{name}-v0", {"dim_ring": dim_ring}) for name in TASKS]
    steps = [build_step_bank(source, num_trials, SEED) for source in sources]
    banks = [replace(bank.table(), block=num_trials) for bank in steps]
    stacked = stack_tables(banks)
    lines = Interface(
        num_inputs=int(stacked.num_inputs_B.max()), num_outputs=int(stacked.num_actions_B.max())
    )
    groups = NeuronGroups(
        num_neurons=neurons, num_inputs=lines.num_inputs, num_outputs=lines.num_outputs
    )
    random = np.random.default_rng(0)
    shape = (size, neurons, neurons)
    w_PNN = (random.normal(size=shape) / np.sqrt(neurons)).astype(np.float32)
    w_PNN[:, : groups.num_unconnected] = 0.0
    alpha_PNN = random.normal(0.5, 0.1, shape).astype(np.float32)
    stream_P = np.arange(size, dtype=np.int64) // 2
    task_P = stream_P % len(banks)
    batch = LifetimeBatch(
        tasks=stacked,
        task_P=task_P,
        seed=SEED,
        epoch=0,
        trial_stream_P=stream_P,
        perturb_stream_P=stream_P,
        wiring=draw_wiring(
            WiringConfig(interface=lines),
            stacked.num_inputs_B[task_P],
            stacked.num_actions_B[task_P],
            stream_P,
            seed=SEED,
            epoch=0,
            evaluation=False,
        ),
    )
    params = PlasticParams(torch.from_numpy(w_PNN), torch.from_numpy(alpha_PNN))
    return Yang19(sources, banks, groups, params, batch)


def replayed(lives: Yang19, person: int, config: LifetimeConfig) -> Draw:
    """The perturbations that the engine draws for one individual, drawn beforehand."""
    alone = lives.batch._replace(
        task_P=lives.batch.task_P[[person]],
        trial_stream_P=lives.batch.trial_stream_P[[person]],
        perturb_stream_P=lives.batch.perturb_stream_P[[person]],
    )
    num_steps = stack_tables(lives.banks).num_steps
    xi_KTN = [
        trial_perturbations(alone, trial, num_steps, lives.groups, config)[0][0]
        for trial in range(config.num_trials)
    ]
    return lambda trial, step: xi_KTN[trial][step]


def drawn(lives: Yang19, config: LifetimeConfig, seed: int) -> Draw:
    """Perturbations of the same distribution from NumPy's generator, one number for a neuron."""
    noise = config.perturbation
    random = np.random.default_rng(seed)
    chance, amplitude = np.float32(noise.probability), np.float32(noise.amplitude)
    stretch = np.float32(2) * amplitude / chance
    none_N = np.zeros(lives.groups.num_neurons, dtype=np.float32)

    def draw(trial: int, step: int) -> np.ndarray:
        if step < noise.first_step or trial >= config.num_trials - config.quiet_trials:
            return none_N
        word_N = random.random(len(none_N), dtype=np.float32)
        return np.where(word_N < chance, stretch * word_N - amplitude, none_N)

    return draw


def live(lives: Yang19, person: int, config: LifetimeConfig, draw: Draw) -> Lived:
    """Step one lifetime through a real environment.

    Args:
        lives: the population.
        person: who of it.
        config: the lifetime, gated by the outcome, with a single baseline and the loss fed back.
        draw: perturbations [N] of a step of a trial.
    """
    groups, rule = lives.groups, config.rule.constants
    bank = lives.banks[lives.batch.task_P[person]]
    I, O = bank.interface.num_inputs, bank.interface.num_outputs
    leak = np.float32(bank.dt_ms / config.dynamics.tau_ms)
    retention = np.float32(1.0 - bank.dt_ms / rule.tau_elig_ms)
    gain = np.float32(config.dynamics.stimulus_gain)
    feedback_gain = np.float32(config.dynamics.feedback_gain)
    action_gain = np.float32(config.dynamics.action_gain)
    feedback, action, response = groups.feedback, groups.action.start, groups.response
    w = lives.params.w_PNN[person].numpy()
    alpha = lives.params.alpha_PNN[person].numpy()
    p: Any = np.zeros_like(w)
    elig: Any = np.zeros_like(w)
    w_eff = w.copy()
    x: Any = np.full(len(w), config.dynamics.initial_activation, dtype=np.float32)
    x[: groups.num_unconnected] = 0.0
    baseline = np.float32(0)
    lived = Lived([], [], [])

    env = lives.sources[lives.batch.task_P[person]].make(SEED)
    with isolated(SEED, TRIALS):
        env.new_trial()
        task = env.unwrapped
        task.performance = 0
        shown = np.array(task.ob[0], dtype=np.float32)
        rate: Any = x.copy()
        rate[groups.action] = 0.0
        rate[groups.bias] = config.dynamics.bias_rate
        rate[:I] = gain * shown
        for trial in range(config.num_trials):
            errors: dict[int, list[float]] = {HOLD: [], ANSWER: []}
            actions: list[int] = []
            earned = 0.0
            node = int(bank.first_M[trial])
            while True:
                xi = draw(trial, len(actions))
                x += leak * (w_eff @ rate - x) + xi
                elig = retention * (elig + np.outer(xi, rate))
                rate = np.tanh(x)
                rate[response] = 1.0 / (1.0 + np.exp(-x[response]))
                answers = rate[response][:O]
                choice = int(answers.argmax())
                if bank.flags_V[node] != 0:
                    target = np.full(O, config.target_low, dtype=np.float32)
                    target[bank.target_action_V[node]] = config.target_high
                    errors[int(bank.flags_V[node])].append(float(((answers - target) ** 2).sum()))
                shown, reward, _, _, info = env.step(choice)
                actions.append(choice)
                earned += float(reward)
                rate[: groups.num_clamped] = 0.0
                rate[:I] = gain * shown
                rate[groups.bias] = config.dynamics.bias_rate
                rate[action + choice] = action_gain
                if info["new_trial"]:
                    break
                node += 1
            loss = np.float32(np.mean([np.mean(e) for e in errors.values() if e]))
            rate[feedback] = feedback_gain * loss
            if trial >= rule.first_trial:
                change = -np.float32(rule.eta) * elig * baseline * (loss - baseline)
                p += np.clip(change, -rule.max_change, rule.max_change)
                w_eff = w + alpha * p
            assert isinstance(config.rule.baseline_decay, float)
            decay = np.float32(config.rule.baseline_decay)
            baseline = decay * baseline + (1 - decay) * loss
            lived.action_KT.append(actions)
            lived.loss_K.append(float(loss))
            lived.reward_K.append(earned)
    return lived
