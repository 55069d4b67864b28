"""Mutations as functions of (run seed, generation, pair, gene), made where they are needed.

Gene g of pair i at a generation is sigma_g * z with z a standard normal number of the pair's own
stream and sigma_g the search's sigma at that generation times the scale of the gene's field; genes
outside the layout's mask, and all genes of an unmutated pair, do not mutate. The engine that runs
the lifetimes also draws their genomes, where it reads them: the reference in plain NumPy, others
by loops of their own. All draw the same numbers, bit for bit.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.genome.layout import Layout
from evoplastic.random.counters import Purpose, normal
from evoplastic.search.config import ESConfig

ON_CPU = "cpu" if importlib.util.find_spec("numba") is not None else "reference"


def mutation_size(layout: Layout, config: ESConfig, generation: int) -> Tensor:
    """Standard deviation [G] of each gene's mutations, float32; 0 where none may mutate."""
    return torch.tensor(config.sigma_at(generation), dtype=torch.float32) * layout.scale_G


def perturbed_pairs(
    center_G: Tensor,
    layout: Layout,
    config: ESConfig,
    seed: int,
    generation: int,
    first_pair: int,
    num_pairs: int,
    *,
    threads: int = 0,
    engine: str = ON_CPU,
) -> Tensor:
    """Genomes [2 * num_pairs, G]: rows 2i and 2i+1 are center + m_i and center - m_i.

    Args:
        center_G: float32 center, on the CPU.
        layout: which genes mutate.
        config: mutation size, and whether pair 0 mutates.
        seed: run seed.
        generation: of the mutations.
        first_pair: number of the first pair.
        num_pairs: how many pairs.
        threads: threads of the CPU engine; 0 means one per core.
        engine: "reference", "cpu" or "gpu"; the genomes of the last one are on its device.
    """
    sigma_G = mutation_size(layout, config, generation)
    which = (seed, generation, first_pair, num_pairs)
    unmutated = int(config.unmutated_pair)
    if engine == "gpu":
        from evoplastic.engines.gpu import mutations as on_gpu
        from evoplastic.engines.gpu.engine import gpu_device

        return on_gpu.perturb_pairs(
            center_G, sigma_G, *which, unmutated=unmutated, device=gpu_device()
        )
    center = center_G.numpy()
    if engine == "cpu":
        from evoplastic.engines.cpu import mutations as on_cpu

        return torch.from_numpy(
            on_cpu.perturb_pairs(
                center, sigma_G.numpy(), *which, unmutated=unmutated, threads=threads
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
    layout: Layout,
    config: ESConfig,
    seed: int,
    generation: int,
    first_pair: int,
    weights: NDArray[np.float64],
    *,
    engine: str = ON_CPU,
) -> None:
    """Add weight_i * m_i to `sum_G` for consecutive pairs, in ascending order, in float64.

    Args:
        sum_G: what to add to, in place.
        layout: which genes mutate.
        config: mutation size, and whether pair 0 mutates.
        seed: run seed.
        generation: of the mutations.
        first_pair: number of the first pair.
        weights: one for each pair.
        engine: "reference", "cpu" or "gpu"; nothing stays on the device of the last one.
    """
    sigma_G = mutation_size(layout, config, generation)
    which = (seed, generation, first_pair, weights)
    unmutated = int(config.unmutated_pair)
    if engine == "gpu":
        from evoplastic.engines.gpu import mutations as on_gpu
        from evoplastic.engines.gpu.engine import gpu_device

        on_gpu.accumulate_pairs(sum_G, sigma_G, *which, unmutated=unmutated, device=gpu_device())
        return
    if engine == "cpu":
        from evoplastic.engines.cpu import mutations as on_cpu

        on_cpu.accumulate_pairs(sum_G, sigma_G.numpy(), *which, unmutated=unmutated)
        return
    rows = _mutations(layout, config, seed, generation, first_pair, len(weights))
    for weight, mutation in zip(weights, rows, strict=True):
        sum_G += weight * mutation.astype(np.float64)


def _mutations(
    layout: Layout,
    config: ESConfig,
    seed: int,
    generation: int,
    first_pair: int,
    num_pairs: int,
) -> Iterator[NDArray[np.float32]]:
    """The definition: one pair's mutation after the other."""
    sigma_G = mutation_size(layout, config, generation).numpy()
    for pair in range(first_pair, first_pair + num_pairs):
        if config.unmutated_pair and pair == 0:
            yield np.zeros(layout.size, dtype=np.float32)
            continue
        draws = normal(seed, Purpose.MUTATION, generation, pair, layout.size)
        yield sigma_G * draws
