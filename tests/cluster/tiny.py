"""The smallest honest problem: a task of two trial kinds on a network of 14 neurons."""

from __future__ import annotations

import numpy as np

from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.config import LifetimeConfig, PerturbationConfig
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import TrialTiming

TIMING = TrialTiming(dt_ms=20.0, num_steps=12, response=(4, 7), feedback=(8, 11))


def tiny_bank(task: str, flip: bool) -> TrialTable:
    """Two stimuli, two answers; `flip` exchanges the answers."""
    stimulus_MTI = np.zeros((2, TIMING.num_steps, 2), dtype=np.float32)
    stimulus_MTI[:, 0:3, 0] = np.array([[1.0], [-1.0]])
    stimulus_MTI[:, 0:3, 1] = -stimulus_MTI[:, 0:3, 0]
    action_M = np.array([1, 0] if flip else [0, 1])
    return fixed_timing_table(
        task=task,
        timing=TIMING,
        stimulus_MTI=stimulus_MTI,
        target_action_M=action_M,
        reward_MO=np.eye(2, dtype=np.float32)[action_M],
        kind_M=np.arange(2, dtype=np.int64),
    )


def tiny_problem(num_trials: int = 5, seed: int = 3) -> LifetimeProblem:
    """A problem whose generations take milliseconds."""
    return LifetimeProblem(
        layout=Layout(NeuronGroups(num_neurons=14)),
        lifetime=LifetimeConfig(
            num_trials=num_trials,
            scored_trials=3,
            perturbation=PerturbationConfig(quiet_trials=1),
            rule=RuleConfig(first_trial=1),
        ),
        train=(tiny_bank("same", False), tiny_bank("other", True)),
        held_out=(tiny_bank("unseen", True),),
        seed=seed,
        engine="reference",
    )


def tiny_genome(problem: LifetimeProblem, seed: int = 0) -> Genome:
    """A first genome of the problem's network."""
    return Genome.random(problem.layout, seed, GenomeConfig())
