"""What a rule multiplies its terms with, brought to the device as its kernel reads it.

Needs no Triton.
"""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.engines.gpu.bundles import Coefficients
from evoplastic.engines.gpu.every_step.codes import compiled
from evoplastic.engines.gpu.sizes import Sizes
from evoplastic.engines.structure import Names
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig


def bring_coefficients(
    part: slice,
    params: PlasticParams,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    sizes: Sizes,
    device: torch.device,
) -> tuple[Coefficients, int]:
    """The coefficients of some individuals, and how far apart their matrices of them lie.

    Constants of the recipe are laid out as what individuals have of their own.

    Args:
        part: which individuals.
        params: their genomes, decoded.
        batch: their tasks, for the time step.
        config: which of the numbers are constants.
        sizes: how a network is laid out.
        device: where to.
    """
    _, of_target, of_source, of_pair = compiled(config.rule)
    count = len(batch.task_P[part])
    found = params.rule.each(lambda tensor: tensor[part]).coefficients

    def row(values: Tensor | float) -> Tensor:
        """[P, row], unclamped neurons first."""
        laid = torch.zeros((count, sizes.row), dtype=torch.float32, device=device)
        clamped, wide = sizes.num_clamped, sizes.wide
        if isinstance(values, Tensor):
            laid[:, : sizes.num_unclamped] = values[:, clamped:]
            laid[:, wide : wide + clamped] = values[:, :clamped]
        else:
            laid[:, : sizes.num_unclamped] = laid[:, wide : wide + clamped] = values
        return laid

    def target(names: Names) -> Tensor:
        own = found[names].of_target if names in found else None
        return row(config.rule.constant(names) if own is None else own)[:, : sizes.wide]

    def source(names: Names) -> Tensor:
        own = found[names].of_source
        assert own is not None, "a structure asks for what its coefficients do not have"
        return row(own)

    pairs, stride = _pairs([found[names].of_pair for names in of_pair], device)
    return Coefficients(
        of_target=_stacked([target(names) for names in of_target], device),
        of_source=_stacked([source(names) for names in of_source], device),
        of_pair=pairs,
        retention=_retention(count, params.rule.tau_elig_ms_P, part, batch, config, device),
    ), stride


def bytes_of_pairs(params: PlasticParams) -> int:
    """Memory that an individual's matrices of coefficients will take: none if all share them."""
    matrices = [each.of_pair for each in params.rule.coefficients.values()]
    return sum(4 * m[0].numel() for m in matrices if m is not None and m.stride(0) != 0)


def _stacked(rows: list[Tensor], device: torch.device) -> Tensor:
    return torch.stack(rows, 1) if rows else torch.zeros(1, device=device)


def _pairs(matrices: list[Tensor | None], device: torch.device) -> tuple[Tensor, int]:
    """Matrices [P, number, N, N], one individual's only if all share it, and their distance."""
    there = [matrix for matrix in matrices if matrix is not None]
    if not there:
        return torch.zeros(1, device=device), 0
    shared = all(len(matrix) > 1 and matrix.stride(0) == 0 for matrix in there)
    stacked = torch.stack([matrix[:1] if shared else matrix for matrix in there], 1)
    return stacked.to(device, torch.float32), 0 if shared else stacked.stride(0)


def _retention(
    count: int,
    tau_elig_ms_P: Tensor | None,
    part: slice,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    device: torch.device,
) -> Tensor:
    """1 - dt / tau_elig of each individual."""
    dt_ms = batch.tables.dt_ms
    if tau_elig_ms_P is None:
        retention = 1.0 - dt_ms / config.rule.constants.tau_elig_ms
        return torch.full((count,), retention, dtype=torch.float32, device=device)
    return (1.0 - dt_ms / tau_elig_ms_P[part].double()).to(device, torch.float32)
