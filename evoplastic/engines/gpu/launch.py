"""What a GPU lifetime brings to the device and how its kernels are launched, in both forms of time.

Arrays that come from tasks and individuals are brought in the order of the kernels' arguments.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.engines.codes import BASELINE_CODES, FEEDBACK_CODES, OUTCOME_CODES
from evoplastic.engines.gpu.plan import (
    Tiles,
    make_ints,
    make_reals,
    num_action_slots,
    num_clamp_slots,
    num_kind_slots,
)
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.order import first_trials
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.wiring import NO_LINE

DRAWS_PER_BLOCK = 128
STEPS_PER_PRODUCT = 16


class Lives(NamedTuple):
    """The individuals of one launch, on the device."""

    num_individuals: int
    strides: tuple[int, int]  # from one individual's w, and alpha, to the next one's
    arrays: tuple[Tensor, ...]  # in the order of the kernels' arguments


class Record(NamedTuple):
    """What the individuals of one launch leave on the device."""

    loss: Tensor  # [P, K]
    correct: Tensor  # [P, K]
    reward: Tensor  # [P, K]
    roughness: Tensor  # [P]
    steps: Tensor  # [P, K], written by trials that run freely


def bring_tasks(
    batch: LifetimeBatch, config: LifetimeConfig, device: torch.device
) -> tuple[Tensor, ...]:
    """The tables of all tasks: stimuli, targets and rewards of trials, or of their states."""
    arrays: tuple[tuple[NDArray[Any], type], ...]
    tables = batch.tables
    if batch.self_paced:
        arrays = (
            (tables.observation_VI, np.float32),
            (tables.target_action_V, np.int32),
            (tables.flags_V, np.int32),
            (tables.reward_VO, np.float32),
            (tables.next_VO, np.int32),
            (tables.first_M, np.int32),
            (tables.kind_M, np.int32),
            (tables.start_B, np.int64),
            (tables.size_B, np.int64),
        )
    else:
        fixed = tables.fixed
        low, high = np.float32(config.target_low), np.float32(config.target_high)
        arrays = (
            (fixed.stimulus_MTI, np.float32),
            (np.where(fixed.target_MO > 0, high, low), np.float32),
            (fixed.target_action_M, np.int32),
            (fixed.reward_MO, np.float32),
            (tables.kind_M, np.int32),
            (tables.start_B, np.int64),
            (tables.size_B, np.int64),
        )
    return tuple(_bring(array, dtype, device) for array, dtype in arrays)


def bring_lives(
    part: slice,
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    device: torch.device,
) -> Lives:
    """Some individuals: genomes, tasks, streams; if they run freely, first entries and lines."""
    (w, w_stride), (alpha, alpha_stride) = (bring_matrices(m[part], device) for m in params)
    arrays: list[tuple[NDArray[Any], type]] = [(batch.task_P[part], np.int64)]
    if batch.self_paced:
        assert batch.wiring is not None, "self-paced lifetimes need batch.wiring"
        arrays += [
            (first_trials(batch.trial_streams, batch.tables)[part], np.int64),
            (batch.perturb_stream_P[part], np.int64),
            (carried(batch.wiring.input_PI[part], groups.num_inputs), np.int32),
            (carried(batch.wiring.action_PO[part], groups.num_outputs), np.int32),
        ]
    else:
        arrays += [(batch.trial_stream_P[part], np.int64), (batch.perturb_stream_P[part], np.int64)]
    brought = (_bring(array, dtype, device) for array, dtype in arrays)
    return Lives(len(batch.task_P[part]), (w_stride, alpha_stride), (w, alpha, *brought))


def bring_matrices(matrix_PNN: Tensor, device: torch.device) -> tuple[Tensor, int]:
    """One matrix of each individual, and the distance from one individual's to the next one's.

    What is on the device already is read where it lies, as w and alpha of a population lie in one
    array of genomes; a matrix that all share (distance 0) is brought once.
    """
    shared = len(matrix_PNN) > 1 and matrix_PNN.stride(0) == 0
    matrix = (matrix_PNN[:1] if shared else matrix_PNN).to(device, torch.float32)
    if matrix.stride()[1:] != (matrix.shape[2], 1):
        matrix = matrix.contiguous()
    return matrix, 0 if shared else matrix.stride(0)


def bytes_brought(params: PlasticParams) -> int:
    """Memory that w and alpha of an individual will take: none if all share it or it is there."""
    return sum(
        4 * matrix_PNN[0].numel()
        for matrix_PNN in params
        if matrix_PNN.stride(0) != 0 and not matrix_PNN.is_cuda
    )


def carried(line_PC: NDArray[np.int64], num_lines: int) -> NDArray[np.int64]:
    """The channel or action [P, L] that each line carries, -1 for none: the inverse of a wiring."""
    carried_PL = np.full((len(line_PC), num_lines), -1, dtype=np.int64)
    person, channel = np.nonzero(line_PC != NO_LINE)
    carried_PL[person, line_PC[person, channel]] = channel
    return carried_PL


def launch(
    lives: Lives,
    tasks: tuple[Tensor, ...],
    scratch: dict[str, Tensor],
    programs: int,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    tiles: Tiles,
) -> Record:
    """Live the individuals that were brought, in one launch."""
    device, num_individuals = lives.arrays[0].device, lives.num_individuals
    shape = (num_individuals, config.num_trials)
    record = Record(
        loss=torch.empty(shape, dtype=torch.float32, device=device),
        correct=torch.empty(shape, dtype=torch.int8, device=device),
        reward=torch.empty(shape, dtype=torch.float32, device=device),
        roughness=torch.empty(num_individuals, dtype=torch.float32, device=device),
        steps=torch.empty(shape, dtype=torch.int32, device=device),
    )
    ints = torch.tensor(
        make_ints(num_individuals, lives.strides, groups, batch, config),
        dtype=torch.int64,
        device=device,
    )
    reals = torch.tensor(make_reals(batch, config), dtype=torch.float32, device=device)
    told = (*lives.arrays, *tasks, ints, reals)
    sizes: dict[str, Any] = {
        "N": groups.num_neurons,
        "I": groups.num_inputs,
        "O": groups.num_outputs,
        "WIDE": tiles.wide,
        "CP": tiles.clamped,
        "BJ": tiles.block_sources,
        "BI": tiles.block_targets,
        "DRAWS": DRAWS_PER_BLOCK,
        "KINDS": num_kind_slots(batch),
        "FEEDBACK": FEEDBACK_CODES[config.feedback],
        "OUTCOME": OUTCOME_CODES[config.rule.outcome],
        "BASELINE": BASELINE_CODES[config.rule.baseline],
        "num_warps": tiles.num_warps,
        "enable_fp_fusion": True,  # a product and a sum in one instruction; newer Tritons ask
    }
    grid = (min(programs, num_individuals),)
    if batch.self_paced:
        _launch_free(grid, told, batch.tables, groups, config, tiles, scratch, record, sizes)
    else:
        _launch_paced(grid, told, groups, config, tiles, scratch, record, sizes)
    return record


def _launch_free(
    grid: tuple[int],
    told: tuple[Tensor, ...],
    tables: StackedTables,
    groups: NeuronGroups,
    config: LifetimeConfig,
    tiles: Tiles,
    scratch: dict[str, Tensor],
    record: Record,
    sizes: dict[str, Any],
) -> None:
    from evoplastic.engines.gpu.self_paced import run_self_paced

    run_self_paced[grid](
        *told,
        *(scratch[name] for name in ("powers", "matrices", "history", "xi", "x")),
        *record,
        **sizes,
        CHANNELS=tables.observation_VI.shape[1],
        CHOICES=tables.reward_VO.shape[1],
        BT=STEPS_PER_PRODUCT,
        ACTIONS=num_action_slots(groups),
        CLAMPS=num_clamp_slots(tiles),
        GATE_ALWAYS=config.rule.gate == "always",
        LAZY=config.rule.table.schedule == "lazy",
        ON_CHIP=tiles.on_chip,
    )


def _launch_paced(
    grid: tuple[int],
    told: tuple[Tensor, ...],
    groups: NeuronGroups,
    config: LifetimeConfig,
    tiles: Tiles,
    scratch: dict[str, Tensor],
    record: Record,
    sizes: dict[str, Any],
) -> None:
    gate_always = config.rule.gate == "always"
    lazy = config.rule.table.schedule == "lazy"
    loss, correct, reward, roughness, _ = record
    if not tiles.on_chip:
        from evoplastic.engines.gpu.streamed import run_streamed

        run_streamed[grid](
            *told,
            *(scratch[name] for name in ("powers", "matrices", "history", "xi", "x")),
            loss,
            correct,
            reward,
            roughness,
            **sizes,
            BT=STEPS_PER_PRODUCT,
            ACTIONS=num_action_slots(groups),
            CLAMPS=num_clamp_slots(tiles),
            GATE_ALWAYS=gate_always,
            LAZY=lazy,
        )
    elif lazy:
        from evoplastic.engines.gpu.lazy import run_lazy

        run_lazy[grid](
            *told,
            scratch["matrices"],
            scratch["xi"],
            loss,
            correct,
            reward,
            roughness,
            **sizes,
            GATE_ALWAYS=gate_always,
        )
    else:
        from evoplastic.engines.gpu.at_outcome import run_at_outcome

        run_at_outcome[grid](
            *told,
            *(scratch[name] for name in ("powers", "matrices", "history", "xi", "force")),
            loss,
            correct,
            reward,
            **sizes,
            BT=STEPS_PER_PRODUCT,
        )


def _bring(array: NDArray[Any], dtype: type, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=dtype)).to(device)
