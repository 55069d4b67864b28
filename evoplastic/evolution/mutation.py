"""Mutations as functions of (run seed, generation, pair, gene), made where they are needed.

Gene g of pair i at a generation is sigma * z with z a standard normal of the pair's own stream;
genes outside the layout's mask, and all genes of an unmutated pair, do not mutate. Compiled loops
draw them where Numba is installed; the same numbers come from plain NumPy where it is not.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.evolution.config import EvolutionConfig
from evoplastic.genome import GenomeLayout
from evoplastic.noise import Purpose, normal

COMPILED = importlib.util.find_spec("numba") is not None


def perturbed_pairs(
    center_G: Tensor,
    layout: GenomeLayout,
    config: EvolutionConfig,
    seed: int,
    generation: int,
    first_pair: int,
    num_pairs: int,
    *,
    threads: int = 0,
    compiled: bool = COMPILED,
) -> Tensor:
    """Genomes [2 * num_pairs, G]: rows 2i and 2i+1 are center + m_i and center - m_i."""
    center, mask = center_G.numpy(), layout.mask_G.numpy()
    if compiled:
        from evoplastic.noise_cpu import perturb_pairs

        return torch.from_numpy(
            perturb_pairs(
                center,
                mask,
                config.sigma,
                seed,
                generation,
                first_pair,
                num_pairs,
                unmutated=int(config.unmutated_pair),
                threads=threads,
            )
        )
    flat = np.empty((2 * num_pairs, layout.size), dtype=np.float32)
    rows = _mutations(layout, config, seed, generation, first_pair, num_pairs)
    for index, mutation in enumerate(rows):
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
    *,
    compiled: bool = COMPILED,
) -> None:
    """Add weight_i * m_i to `sum_G` for consecutive pairs, in ascending order, in float64."""
    if compiled:
        from evoplastic.noise_cpu import accumulate_pairs

        accumulate_pairs(
            sum_G,
            layout.mask_G.numpy(),
            config.sigma,
            seed,
            generation,
            first_pair,
            weights,
            unmutated=int(config.unmutated_pair),
        )
        return
    rows = _mutations(layout, config, seed, generation, first_pair, len(weights))
    for weight, mutation in zip(weights, rows, strict=True):
        sum_G += weight * mutation.astype(np.float64)


def _mutations(
    layout: GenomeLayout,
    config: EvolutionConfig,
    seed: int,
    generation: int,
    first_pair: int,
    num_pairs: int,
) -> Iterator[NDArray[np.float32]]:
    """The definition: one pair's mutation after the other."""
    mask = layout.mask_G.numpy()
    for pair in range(first_pair, first_pair + num_pairs):
        if config.unmutated_pair and pair == 0:
            yield np.zeros(layout.size, dtype=np.float32)
            continue
        draws = normal(seed, Purpose.MUTATION, generation, pair, layout.size)
        yield np.where(mask, np.float32(config.sigma) * draws, np.float32(0.0))
