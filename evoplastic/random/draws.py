"""The random draws of a lifetime, laid out as every engine must draw them.

Perturbations of step t: counter word 0 is t * Q + q with Q = ceil(N / 4); word v of that counter
belongs to neuron v * Q + q. The order of trials is in `evoplastic.trials.order`.
"""

from __future__ import annotations

import numpy as np

from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig, PerturbationConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import (
    Float32Array,
    Int64Array,
    Purpose,
    perturbation,
    philox,
    purpose_word,
    seed_key,
)


def purposes(batch: LifetimeBatch) -> tuple[int, int]:
    """Counter word 3 of the trial order and of the perturbations."""
    if batch.evaluation:
        trial, perturb = Purpose.EVALUATION_TRIAL, Purpose.EVALUATION_PERTURBATION
    else:
        trial, perturb = Purpose.TRIAL, Purpose.PERTURBATION
    return purpose_word(trial, batch.epoch), purpose_word(perturb, batch.epoch)


def perturbation_words(
    batch: LifetimeBatch, trial: int, num_steps: int, num_neurons: int
) -> tuple[Int64Array, Int64Array]:
    """Raw words [S, T, N] of the S distinct perturbation streams, and the stream [P] of each."""
    stream_S, index_P = np.unique(batch.perturb_stream_P, return_inverse=True)
    quarter = -(-num_neurons // 4)
    position = np.arange(num_steps * quarter, dtype=np.int64)
    rows = philox(
        (position[None, :], trial, stream_S[:, None].astype(np.int64), purposes(batch)[1]),
        seed_key(batch.seed),
    )
    shape = (len(stream_S), num_steps, quarter)
    words_STN = np.concatenate([row.reshape(shape) for row in rows], axis=2)
    return words_STN[:, :, :num_neurons], index_P.reshape(-1)


def perturbations(
    batch: LifetimeBatch,
    trial: int,
    num_steps: int,
    num_neurons: int,
    config: PerturbationConfig,
) -> tuple[Float32Array, Int64Array]:
    """Node perturbations xi [S, T, N] of a trial, before any step or trial is silenced."""
    words_STN, index_P = perturbation_words(batch, trial, num_steps, num_neurons)
    return perturbation(words_STN, config.probability, config.amplitude), index_P


def trial_perturbations(
    batch: LifetimeBatch, trial: int, num_steps: int, groups: NeuronGroups, config: LifetimeConfig
) -> tuple[Float32Array, Int64Array]:
    """Node perturbations xi [S, T, N] of a trial as they strike, and the stream [P] of each."""
    noise = config.perturbation
    xi_STN, stream_P = perturbations(batch, trial, num_steps, groups.num_neurons, noise)
    xi_STN[:, : noise.first_step] = 0.0
    if noise.stop_step is not None:
        xi_STN[:, noise.stop_step :] = 0.0
    if trial >= config.num_trials - config.quiet_trials:
        xi_STN[:] = 0.0
    if not noise.perturb_hidden:
        xi_STN[:, :, groups.hidden] = 0.0
    if not noise.perturb_modulators:
        xi_STN[:, :, groups.modulators] = 0.0
    return xi_STN, stream_P
