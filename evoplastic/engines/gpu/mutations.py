"""Mutations made and summed on a GPU, equal to `evoplastic.random.counters` bit for bit.

Numbers that change between generations travel in small arrays, so that a kernel is compiled once.
Needs torch, numpy and triton alone.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.engines.gpu.mutation_kernels import Draws, accumulate, perturb
from evoplastic.random.counters import Purpose, purpose_word, seed_key

COUNTERS_OF_PAIR = 128  # a program's counters, of one pair
COUNTERS_OF_SUM = 32  # a program's counters, of every pair in turn: one for each thread of a warp


def perturb_pairs(
    center_G: Tensor,
    sigma_G: Tensor,
    seed: int,
    epoch: int,
    first_pair: int,
    num_pairs: int,
    *,
    unmutated: int = 0,
    device: torch.device | str = "cuda",
) -> Tensor:
    """Genomes [2 * num_pairs, G] on the device: rows 2i and 2i + 1 are center + m_i, center - m_i.

        m_i = sigma * z_i gene by gene;     z_i standard normal numbers of stream first_pair + i

    Args:
        center_G: float32 center.
        sigma_G: float32 size of each gene's mutations; 0 for one that does not mutate.
        seed: run seed.
        epoch: generation.
        first_pair: number of the first pair.
        num_pairs: how many pairs.
        unmutated: pairs with a number below this one do not mutate.
        device: a CUDA device; "cpu" only under Triton's interpreter.
    """
    size = len(center_G)
    flat_PG = torch.empty((2 * num_pairs, size), dtype=torch.float32, device=device)
    with _on(device):
        perturb[(num_pairs * _blocks(size, COUNTERS_OF_PAIR),)](
            center_G.to(device),
            sigma_G.to(device),
            _draws(size, num_pairs, first_pair, unmutated, seed, epoch, device),
            flat_PG,
            COUNTERS=COUNTERS_OF_PAIR,
            num_warps=COUNTERS_OF_PAIR // 32,
            enable_fp_fusion=False,
        )
    return flat_PG


def accumulate_pairs(
    total_G: NDArray[np.float64],
    sigma_G: Tensor,
    seed: int,
    epoch: int,
    first_pair: int,
    weights: NDArray[np.float64],
    *,
    unmutated: int = 0,
    device: torch.device | str = "cuda",
) -> None:
    """total += sum over pairs of weight_i m_i, in float64, pairs in ascending order for each gene.

    Args:
        total_G: what to add to, in place.
        sigma_G: float32 size of each gene's mutations; 0 for one that does not mutate.
        seed: run seed.
        epoch: generation.
        first_pair: number of the first pair.
        weights: one for each pair.
        unmutated: pairs with a number below this one do not mutate.
        device: a CUDA device; "cpu" only under Triton's interpreter.
    """
    size, num_pairs = len(total_G), len(weights)
    pulls = np.array(weights, dtype=np.float64)
    pulls[: max(0, unmutated - first_pair)] = 0.0
    total = torch.from_numpy(total_G).to(device, copy=True)
    with _on(device):
        accumulate[(_blocks(size, COUNTERS_OF_SUM),)](
            total,
            sigma_G.to(device),
            torch.from_numpy(pulls).to(device),
            _draws(size, num_pairs, first_pair, unmutated, seed, epoch, device),
            COUNTERS=COUNTERS_OF_SUM,
            num_warps=COUNTERS_OF_SUM // 32,
            enable_fp_fusion=False,
        )
    total_G[:] = total.cpu().numpy()


def _draws(
    num_genes: int,
    num_pairs: int,
    first_pair: int,
    unmutated: int,
    seed: int,
    epoch: int,
    device: torch.device | str,
) -> Tensor:
    purpose = purpose_word(Purpose.MUTATION, epoch)
    numbers = Draws(num_genes, num_pairs, first_pair, unmutated, purpose, *seed_key(seed))
    return torch.tensor(numbers, dtype=torch.int64, device=device)


def _blocks(num_genes: int, counters: int) -> int:
    """Programs of so many counters each, four genes to a counter."""
    return -(-num_genes // (4 * counters))


def _on(device: torch.device | str) -> torch.cuda.device:
    device = torch.device(device)
    return torch.cuda.device(device if device.type == "cuda" else -1)  # -1 changes nothing
