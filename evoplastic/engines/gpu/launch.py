"""What a GPU lifetime brings to the device, and which kernel is launched with it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.engines.courses import course_rows
from evoplastic.engines.gpu.bundles import (
    Coefficients,
    FixedTimingIndividuals,
    FixedTimingTasks,
    Memory,
    Numbers,
    NumbersWithCourses,
    Record,
    SelfPacedIndividuals,
    SelfPacedStreamIndividuals,
    SelfPacedTasks,
)
from evoplastic.engines.gpu.every_step.coefficients import bring_coefficients
from evoplastic.engines.gpu.plan import make_ints, make_reals, retention_powers
from evoplastic.engines.gpu.sizes import Sizes, numbers_of_a_program
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.trials.order import trial_numbers
from evoplastic.trials.wiring import NO_LINE

Individuals = FixedTimingIndividuals | SelfPacedIndividuals | SelfPacedStreamIndividuals


class Lives(NamedTuple):
    """The individuals of one launch, on the device."""

    num_individuals: int
    strides: tuple[int, int, int]  # from one individual's w, alpha and coefficients to the next's
    arrays: Individuals
    coefficients: Coefficients | None  # of the schedule every_step


def bring_tasks(
    batch: LifetimeBatch, config: LifetimeConfig, device: torch.device
) -> FixedTimingTasks | SelfPacedTasks:
    """The tables of all tasks: stimuli, targets and rewards of trials, or of their states."""

    def bring(array: NDArray[Any], dtype: type) -> Tensor:
        return _bring(array, dtype, device)

    tables = batch.tables
    if batch.self_paced:
        return SelfPacedTasks(
            observation=bring(tables.observation_VI, np.float32),
            target_action=bring(tables.target_action_V, np.int32),
            flags=bring(tables.flags_V, np.int32),
            reward=bring(tables.reward_VO, np.float32),
            onward=bring(tables.next_VO, np.int32),
            first=bring(tables.first_M, np.int32),
            kind=bring(tables.kind_M, np.int32),
            start=bring(tables.start_B, np.int64),
            size=bring(tables.size_B, np.int64),
        )
    fixed = tables.fixed
    low, high = np.float32(config.target_low), np.float32(config.target_high)
    return FixedTimingTasks(
        stimulus=bring(fixed.stimulus_MTI, np.float32),
        target=bring(np.where(fixed.target_MO > 0, high, low), np.float32),
        target_action=bring(fixed.target_action_M, np.int32),
        reward=bring(fixed.reward_MO, np.float32),
        kind=bring(tables.kind_M, np.int32),
        start=bring(tables.start_B, np.int64),
        size=bring(tables.size_B, np.int64),
    )


def bring_lives(
    part: slice,
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    sizes: Sizes,
    device: torch.device,
) -> Lives:
    """Some individuals: genomes, tasks, streams; if self-paced, first trials and lines."""
    (w, w_stride), (alpha, alpha_stride) = (
        bring_matrices(m[part], device) for m in (params.w_PNN, params.alpha_PNN)
    )
    task = _bring(batch.task_P[part], np.int64, device)
    perturb_stream = _bring(batch.perturb_stream_P[part], np.int64, device)
    intrinsic = bring_intrinsic(part, params, batch, config, sizes, device)
    decay = bring_decay(part, params, config, device)
    arrays: Individuals
    trial_stream = _bring(batch.trial_stream_P[part], np.int64, device)
    if batch.self_paced:
        assert batch.wiring is not None, "self-paced lifetimes need batch.wiring"
        channel, action = (
            _bring(carried(line_PC[part], number), np.int32, device)
            for line_PC, number in (
                (batch.wiring.input_PI, groups.num_inputs),
                (batch.wiring.action_PO, groups.num_outputs),
            )
        )
        if sizes.course:
            arrays = SelfPacedStreamIndividuals(
                w, alpha, task, trial_stream, perturb_stream, intrinsic, decay, channel, action
            )
        else:
            first = trial_numbers(batch.trial_streams, batch.tables, 0)[part]
            entry = _bring(first, np.int64, device)
            arrays = SelfPacedIndividuals(
                w, alpha, task, entry, perturb_stream, intrinsic, decay, channel, action
            )
    else:
        arrays = FixedTimingIndividuals(
            w, alpha, task, trial_stream, perturb_stream, intrinsic, decay
        )
    coefficients, pair_stride = None, 0
    if config.schedule == "every_step":
        coefficients, pair_stride = bring_coefficients(part, params, batch, config, sizes, device)
    strides = w_stride, alpha_stride, pair_stride
    return Lives(len(batch.task_P[part]), strides, arrays, coefficients)


def bring_decay(
    part: slice, params: PlasticParams, config: LifetimeConfig, device: torch.device
) -> Tensor:
    """How much of a running mean survives a trial, and what is left to 1: [P, 2]."""
    evolved_P = params.rule.baseline_decay_P
    if evolved_P is None:
        decay = config.rule.baseline_decay
        assert not isinstance(decay, Evolvable), "an evolved number that the genomes lack"
        decay_P = torch.full((len(params.w_PNN),), decay, dtype=torch.float64)
    else:
        decay_P = evolved_P.double()
    decay_P = decay_P[part]
    return torch.stack([decay_P, 1.0 - decay_P], 1).to(device, torch.float32)


def bring_intrinsic(
    part: slice,
    params: PlasticParams,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    sizes: Sizes,
    device: torch.device,
) -> Tensor:
    """What the unclamped neurons have of their own, [P, rows, U']; one unread number if nothing.

    Rows are the leak and the threshold, if neurons differ in them; the fan-outs onto gains, halved
    for a tanh, those onto thresholds and those onto plasticity, where there are such.
    """
    if sizes.own_rows == 0:
        return torch.zeros(1, dtype=torch.float32, device=device)
    own = params.intrinsic.each(lambda tensor: tensor[part].to(device, torch.float32))
    fan_outs = params.modulation.each(lambda tensor: tensor[part].to(device, torch.float32))
    rows: list[float | Tensor] = []
    if sizes.own_intrinsic:
        rows += own.leak(config.dynamics, batch.tables.dt_ms), own.threshold(config.dynamics)
    for fan_out_PNK, factor in (
        (fan_outs.gain_PNK, 0.5),
        (fan_outs.threshold_PNK, 1.0),
        (fan_outs.plasticity_PNK, 1.0),
    ):
        if fan_out_PNK is not None:
            rows += (factor * fan_out_PNK).unbind(2)
    assert len(rows) == sizes.own_rows, "fan-outs that are not those of the configuration"
    shape = (len(batch.task_P[part]), len(rows), sizes.wide)
    brought = torch.zeros(shape, dtype=torch.float32, device=device)
    for which, number in enumerate(rows):
        if isinstance(number, Tensor):
            number = number[:, sizes.num_clamped :]
        brought[:, which, : sizes.num_unclamped] = number
    return brought


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
        for matrix_PNN in (params.w_PNN, params.alpha_PNN)
        if matrix_PNN.stride(0) != 0 and not matrix_PNN.is_cuda
    )


def carried(line_PC: NDArray[np.int64], num_lines: int) -> NDArray[np.int64]:
    """The channel or action [P, L] that each line carries, -1 for none: the inverse of a wiring."""
    carried_PL = np.full((len(line_PC), num_lines), -1, dtype=np.int64)
    individual, channel = np.nonzero(line_PC != NO_LINE)
    carried_PL[individual, line_PC[individual, channel]] = channel
    return carried_PL


def make_memory(
    programs: int,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    sizes: Sizes,
    device: torch.device,
) -> Memory:
    """Memory that programs work in, one piece for each running at a time."""
    pieces = {
        name: torch.empty((programs, size), dtype=torch.float32, device=device)
        for name, size in numbers_of_a_program(sizes, batch.tables.num_steps).items()
    }
    pieces["xi"].zero_()  # columns beyond the last neuron are read and never written
    return Memory(**pieces, powers=torch.from_numpy(retention_powers(batch, config)).to(device))


def bring_numbers(
    num_individuals: int,
    strides: tuple[int, int, int],
    batch: LifetimeBatch,
    config: LifetimeConfig,
    device: torch.device,
) -> Numbers | NumbersWithCourses:
    """The numbers of a launch, on the device."""
    ints = torch.tensor(
        make_ints(num_individuals, strides, batch, config), dtype=torch.int64, device=device
    )
    reals = torch.tensor(make_reals(batch, config), dtype=torch.float32, device=device)
    if not batch.tables.has_courses:
        return Numbers(ints, reals)
    course = _bring(course_rows(batch.tables, config.num_trials), np.int64, device)
    return NumbersWithCourses(ints, reals, course)


def launch(
    lives: Lives,
    tasks: FixedTimingTasks | SelfPacedTasks,
    memory: Memory,
    programs: int,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    sizes: Sizes,
    num_warps: int,
) -> Record:
    """Simulate the individuals that were brought, in one launch."""
    device, num_individuals = memory.powers.device, lives.num_individuals
    shape = (num_individuals, config.num_trials)
    record = Record(
        loss=torch.empty(shape, dtype=torch.float32, device=device),
        correct=torch.empty(shape, dtype=torch.int8, device=device),
        reward=torch.empty(shape, dtype=torch.float32, device=device),
        roughness=torch.empty(num_individuals, dtype=torch.float32, device=device),
        steps=torch.empty(shape, dtype=torch.int32, device=device),
    )
    numbers = bring_numbers(num_individuals, lives.strides, batch, config, device)
    grid = (min(programs, num_individuals),)
    of_rule = () if lives.coefficients is None else (lives.coefficients,)
    _kernel(sizes, batch.self_paced)[grid](
        lives.arrays,
        *of_rule,
        tasks,
        numbers,
        memory,
        record,
        S=sizes,
        num_warps=num_warps,
        enable_fp_fusion=True,  # a product and a sum in one instruction; newer Tritons ask
    )
    return record


def _kernel(sizes: Sizes, self_paced: bool) -> Any:
    """The kernel of a schedule, a layout and a kind of trials."""
    if sizes.rule.num_groups > 0:
        from evoplastic.engines.gpu.every_step.kernel import run_every_step

        return run_every_step
    if self_paced:
        from evoplastic.engines.gpu.self_paced import run_self_paced

        return run_self_paced
    if not sizes.on_chip:
        from evoplastic.engines.gpu.streamed import run_streamed

        return run_streamed
    if sizes.lazy:
        from evoplastic.engines.gpu.lazy import run_lazy

        return run_lazy
    from evoplastic.engines.gpu.at_outcome import run_at_outcome

    return run_at_outcome


def _bring(array: NDArray[Any], dtype: type, device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=dtype)).to(device)
