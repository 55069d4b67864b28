"""The gradient of each lifetime with regard to its genome, through every step of the lifetime.

    "loss"       d loss / d genome, the loss as evolution has it
    "reinforce"  d [ - sum_k log pi_k (G_k - b_k) - entropy * H ] / d genome, divided by the trials,
                 G_k = R_k + discount G_(k+1), pi_k the chance of the actions of trial k,
                 R_k their reward, H the entropy of choices, b_k the mean of G_k over the other
                 lifetimes that are unrolled at the same time (0 where there is none)

Sources: Miconi, Stanley & Clune 2018 (arXiv 1804.02464); Miconi et al. 2019 (arXiv 2002.10585);
Williams 1992 (Machine Learning 8) for REINFORCE; Kool et al. 2019 for the baseline.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from torch import Tensor

from evoplastic import machine
from evoplastic.checks import require
from evoplastic.engines.reference.choosing import Sampled, largest
from evoplastic.engines.reference.threads import one_thread
from evoplastic.engines.reference.unrolled import Unrolled, unroll
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.fitness import losses
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.streams.scoring import weights_of
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.search.asking import FloatArray, Unrolling
from evoplastic.trials.table import TrialTable
from evoplastic.trials.world import Task
from evoplastic.types import Int64Array

FLOAT32_BYTES = 4
STATE_MATRICES = 2  # of a state that is kept: plastic weights and traces
STEP_MATRICES = 10  # of a step that a gradient goes back through, measured over the rules


@one_thread()
def simulate_unrolled(
    problem: LifetimeProblem,
    flat_PG: Tensor,
    task_P: Int64Array,
    stream_P: Int64Array,
    asked: Unrolling,
    *,
    epoch: int,
) -> tuple[LifetimeResult, FloatArray]:
    """Run one lifetime of each individual, and take its gradient [P, G], float32.

    So many lifetimes are unrolled at a time, whatever else is simulated: PyTorch rounds by how
    many there are.

    Args:
        problem: tasks, network and lifetime.
        flat_PG: genomes.
        task_P: index into the training tasks.
        stream_P: individuals of one stream meet the same trials, noise and wiring.
        asked: which gradient.
        epoch: generation.
    """
    results, gradients = [], []
    for first in range(0, len(flat_PG), asked.together):
        part = slice(first, first + asked.together)
        result, gradient_PG = _gradient(
            problem, flat_PG[part], task_P[part], stream_P[part], asked, epoch
        )
        results.append(result)
        gradients.append(gradient_PG)
    joined = LifetimeResult(*(torch.cat(parts) for parts in zip(*results, strict=True)))
    return joined, np.concatenate(gradients)


def _gradient(
    problem: LifetimeProblem,
    flat_PG: Tensor,
    task_P: Int64Array,
    stream_P: Int64Array,
    asked: Unrolling,
    epoch: int,
) -> tuple[LifetimeResult, FloatArray]:
    leaf_PG = flat_PG.detach().clone().requires_grad_()
    kept: list[Tensor] = []
    result = simulate(
        problem,
        problem.params(leaf_PG),
        task_P,
        stream_P,
        epoch=epoch,
        evaluation=False,
        run=partial(_run, asked=asked, kept=kept),
    )
    objective = torch.stack(kept).sum()
    if objective.requires_grad:
        objective.backward()
    gradient_PG = torch.zeros_like(flat_PG) if leaf_PG.grad is None else leaf_PG.grad
    return result, gradient_PG.numpy()


def _run(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    asked: Unrolling,
    kept: list[Tensor],
    engine: str = "reference",
    threads: int = 0,
) -> LifetimeResult:
    """Unroll lifetimes, and keep the sum of what is differentiated."""
    drawn = asked.objective == "reinforce"
    choose = Sampled(batch, asked.temperature) if drawn else largest
    lived = unroll(
        params, groups, batch, config, trials=asked.trials, block=asked.block, choose=choose
    )
    if drawn:
        kept.append(_reinforced(lived, asked))
    else:
        courses = batch.tables.course_B if batch.in_tables else ()
        weights = weights_of(courses, batch.task_P, config)
        kept.append(losses(lived.result, config, weights and weights.loss_PK).sum())
    return LifetimeResult(*(field.detach() for field in lived.result))


def _reinforced(lived: Unrolled, asked: Unrolling) -> Tensor:
    """The number whose gradient is that of the mean reward of a trial, summed over lifetimes."""
    assert lived.log_chance_PK is not None
    assert lived.entropy_PK is not None
    reward_PK = lived.result.reward_PK.double()
    return_PK = torch.empty_like(reward_PK)
    ahead_P = torch.zeros_like(reward_PK[:, 0])
    for trial in reversed(range(reward_PK.shape[1])):
        ahead_P = reward_PK[:, trial] + asked.discount * ahead_P
        return_PK[:, trial] = ahead_P
    others = len(return_PK) - 1
    baseline_PK = (return_PK.sum(0) - return_PK) / others if others else 0.0 * return_PK
    advantage_PK = (return_PK - baseline_PK).detach()
    gain_PK = lived.log_chance_PK.double() * advantage_PK
    return -(gain_PK + asked.entropy * lived.entropy_PK.double()).sum() / reward_PK.shape[1]


def unrolled_bytes(problem: LifetimeProblem, asked: Unrolling) -> int:
    """Memory for lifetimes that are unrolled at a time, at the most.

    States of all blocks, and what is remembered of each step of one block.
    """
    matrices = asked.together * problem.groups.num_neurons**2
    steps = max(_steps(task) for task in problem.train)
    num_trials = min(problem.lifetime.num_trials, asked.trials or problem.lifetime.num_trials)
    block = min(asked.block, num_trials)
    kept = STATE_MATRICES * -(-num_trials // block) + STEP_MATRICES * block * steps
    return FLOAT32_BYTES * matrices * kept


def _steps(task: Task) -> int:
    return task.num_steps if isinstance(task, TrialTable) else task.max_trial_steps


def require_unrollable(problem: LifetimeProblem, asked: Unrolling) -> None:
    """Refuse lifetimes that a gradient cannot go back through, or that memory does not hold.

    Raises:
        UsageError: naming what stands in the way, with the rules that can.
    """
    config, objective = problem.lifetime, asked.objective
    reason = config.rule.table.obstacle
    can = [name for name, rule in RULES.items() if rule.obstacle is None]
    require(
        reason is None,
        f"search 'gradient' goes back through every change of a weight, but rule "
        f"{config.rule.name!r} {reason}; use one of {', '.join(can)}, or another search",
    )
    require(
        "density" not in config.birth.evolved,
        "search 'gradient' cannot change lifetime.birth.density, by which a draw is compared; set "
        "it to a number, or use another search",
    )
    require(
        objective != "loss" or (config.fitness == "loss" and config.reward_weight == 0),
        f"lifetime.fitness is {config.fitness!r} with reward_weight {config.reward_weight:g}, but "
        "no gradient goes through a reward; set search.objective=reinforce, or "
        "lifetime.fitness=loss lifetime.reward_weight=0",
    )
    needs, has = unrolled_bytes(problem, asked), machine.memory_bytes()
    require(
        needs <= has,
        f"{asked.together} lifetimes of {config.num_trials} trials, unrolled, take "
        f"{needs / 1e9:.3g} GB, and this machine has {has / 1e9:.3g} GB; lower search.together, "
        "search.block or search.trials",
    )
