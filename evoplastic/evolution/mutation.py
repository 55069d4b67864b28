"""Mutations as functions of (run seed, generation, pair, gene), made where they are needed.

Gene g of pair i at a generation is sigma * z with z a standard normal of the pair's own stream;
genes outside the layout's mask, and all genes of an unmutated pair, do not mutate.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.evolution.config import EvolutionConfig
from evoplastic.genome import GenomeLayout
from evoplastic.noise import Purpose, normal


def _is_mutated(pair: int, config: EvolutionConfig) -> bool:
    return pair > 0 or not config.unmutated_pair


def perturbed_pairs(
    center_G: Tensor,
    layout: GenomeLayout,
    config: EvolutionConfig,
    seed: int,
    generation: int,
    first_pair: int,
    num_pairs: int,
) -> Tensor:
    """Genomes [2 * num_pairs, G]: rows 2i and 2i+1 are center + m_i and center - m_i."""
    flat = np.empty((2 * num_pairs, layout.size), dtype=np.float32)
    center, mask = center_G.numpy(), layout.mask_G.numpy()
    for index in range(num_pairs):
        pair = first_pair + index
        if _is_mutated(pair, config):
            draws = normal(seed, Purpose.MUTATION, generation, pair, layout.size)
            mutation = np.where(mask, np.float32(config.sigma) * draws, np.float32(0.0))
        else:
            mutation = np.zeros(layout.size, dtype=np.float32)
        np.add(center, mutation, out=flat[2 * index])
        np.subtract(center, mutation, out=flat[2 * index + 1])
    return torch.from_numpy(flat)


def accumulate_mutations(
    sum_G: NDArray[np.float64],
    layout: GenomeLayout,
    config: EvolutionConfig,
    seed: int,
    generation: int,
    first_pair: int,
    weights: NDArray[np.float64],
) -> None:
    """Add weight_i * m_i to `sum_G` for consecutive pairs, in ascending order, in float64."""
    mask = layout.mask_G.numpy()
    for index, weight in enumerate(weights):
        pair = first_pair + index
        if weight == 0.0 or not _is_mutated(pair, config):
            continue
        draws = normal(seed, Purpose.MUTATION, generation, pair, layout.size)
        mutation = np.where(mask, np.float32(config.sigma) * draws, np.float32(0.0))
        sum_G += weight * mutation.astype(np.float64)
