"""The fused GPU engine: one program takes one individual through all trials in a single launch.

Equal to the reference to float32 rounding, on the same random numbers bit for bit. Needs torch,
numpy and triton alone.
"""

from __future__ import annotations

import importlib.util
import logging
import os

import torch

from evoplastic.checks import require
from evoplastic.engines.gpu.every_step.codes import matrices_of
from evoplastic.engines.gpu.every_step.coefficients import bytes_of_pairs
from evoplastic.engines.gpu.launch import (
    bring_lives,
    bring_tasks,
    bytes_brought,
    launch,
    make_memory,
)
from evoplastic.engines.gpu.sizes import (
    MATRICES,
    Sizes,
    make_sizes,
    make_tiles,
    numbers_of_a_program,
)
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups

logger = logging.getLogger(__name__)

MAX_DRAWS = 1 << 31  # position words and tile offsets are 32-bit
MEMORY_SHARE = 0.9  # of what is free; the rest is for the allocator and compiled kernels
_share = 1.0  # of the device's memory that is this process's
_announced: set[int | str] = set()  # a cut into waves is said once per number of individuals


def gpu_device() -> torch.device:
    """Where the engine runs: a CUDA device, or the CPU if Triton is set to interpret kernels."""
    return torch.device("cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda")


def gpu_available() -> str | None:
    """Why this machine cannot run the engine, or None if it can."""
    if gpu_device().type == "cuda" and not torch.cuda.is_available():
        return "no CUDA device is visible to torch"
    if importlib.util.find_spec("triton") is None:
        return "the package triton is not installed"
    return None


def gpu_covers(groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig) -> str | None:
    """Why this engine cannot run these lifetimes, or None if it can."""
    if not batch.in_tables:
        return "tasks that are stepped for real"
    tables = batch.tables
    table = tables.observation_VI.size
    if batch.self_paced:
        table = max(table, tables.reward_VO.size)
    steps, neurons = tables.num_steps, groups.num_neurons
    tiles = make_tiles(groups, config, self_paced=batch.self_paced)
    matrices = len(MATRICES)
    if config.schedule == "every_step":
        matrices += matrices_of(config.rule)
    if max(4 * (steps + 1) * (neurons + 4), matrices * tiles.matrix, table) >= MAX_DRAWS:
        return f"{neurons} neurons, {steps} steps and the tables need more than 32-bit offsets"
    return None


@torch.no_grad()
def run_gpu(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    device: torch.device | str | None = None,
    memory_bytes: int | None = None,
    streamed: bool = False,
) -> LifetimeResult:
    """Live P whole lifetimes on a GPU.

    Args:
        params: innate weights and plasticity coefficients [P, N, N], on any device.
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        device: by default `gpu_device()`.
        memory_bytes: device memory to stay within; by default nine tenths of what is free. A
            population that needs more is run in waves.
        streamed: keep matrices in device memory even where they would fit on chip.

    Raises:
        UsageError: not even one individual fits into the memory.
    """
    device = torch.device(gpu_device() if device is None else device)
    num_individuals, num_trials = len(batch.task_P), config.num_trials
    tiles = make_tiles(groups, config, streamed, batch.self_paced)
    sizes = make_sizes(groups, batch, config, tiles)
    if not (tiles.on_chip or streamed):
        _say_that_it_streams(groups, config)
    processors = _num_processors(device)
    programs = min(num_individuals, processors * tiles.programs_per_processor)
    programs, wave = _fit(
        programs,
        num_individuals,
        bytes_brought(params) + bytes_of_pairs(params),
        batch,
        config,
        sizes,
        memory_bytes or free_bytes(device),
    )
    if wave < num_individuals and num_individuals not in _announced:
        _announced.add(num_individuals)
        logger.warning(
            "%d individuals do not fit into the GPU's memory at once: run in %d waves of %d",
            num_individuals,
            -(-num_individuals // wave),
            wave,
        )
    tasks = bring_tasks(batch, config, device)
    memory = make_memory(programs, batch, config, sizes, device)
    loss_PK = torch.empty((num_individuals, num_trials), dtype=torch.float32)
    correct_PK = torch.empty((num_individuals, num_trials), dtype=torch.bool)
    reward_PK = torch.empty((num_individuals, num_trials), dtype=torch.float32)
    smoothness_P = torch.zeros(num_individuals, dtype=torch.float32)
    steps_PK = torch.full(loss_PK.shape, batch.tables.num_steps, dtype=torch.int32)
    for first in range(0, num_individuals, wave):
        part = slice(first, min(first + wave, num_individuals))
        lives = bring_lives(part, params, groups, batch, config, sizes, device)
        with torch.cuda.device(device if device.type == "cuda" else -1):  # -1 changes nothing
            record = launch(lives, tasks, memory, programs, batch, config, sizes, tiles.num_warps)
        loss_PK[part] = record.loss.cpu()
        correct_PK[part] = record.correct.cpu().bool()
        reward_PK[part] = record.reward.cpu()
        if config.rule.table.modulator == "network":
            smoothness_P[part] = record.roughness.cpu() / num_trials
        if batch.self_paced:
            steps_PK[part] = record.steps.cpu()
    return LifetimeResult(loss_PK, correct_PK, reward_PK, smoothness_P, steps_PK)


def _say_that_it_streams(groups: NeuronGroups, config: LifetimeConfig) -> None:
    message = (
        f"the matrices of rule {config.rule.name!r} with {groups.num_neurons} neurons do not fit "
        "on the GPU's chip: they stream through its memory at every step, which is slower"
    )
    if message not in _announced:
        _announced.add(message)
        logger.warning(message)


def _fit(
    programs: int,
    num_individuals: int,
    genome_bytes: int,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    sizes: Sizes,
    memory_bytes: int,
) -> tuple[int, int]:
    """Programs at a time, and individuals of a wave, that stay within the memory."""
    per_program = 4 * sum(numbers_of_a_program(sizes, batch.tables.num_steps).values())
    lines = sizes.inputs + sizes.outputs
    own_bytes = 4 * sizes.own_rows * sizes.wide
    per_life = genome_bytes + own_bytes + 13 * config.num_trials + 4 * lines + 36
    programs = max(1, min(programs, memory_bytes // 2 // per_program))
    wave = min(num_individuals, (memory_bytes - programs * per_program) // per_life)
    require(
        wave >= 1,
        f"one individual of {sizes.neurons} neurons needs {per_program + per_life} bytes of "
        f"GPU memory, {memory_bytes} are free; free memory on the GPU or use engine=cpu",
    )
    return programs, wave


def _num_processors(device: torch.device) -> int:
    if device.type != "cuda":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def free_bytes(device: torch.device) -> int:
    """Memory to plan with: what is free, and what torch keeps of an earlier generation's."""
    if device.type != "cuda":
        return 1 << 32
    free, total = torch.cuda.mem_get_info(device)
    held = torch.cuda.memory_allocated(device)
    kept = torch.cuda.memory_reserved(device) - held
    return int(MEMORY_SHARE * max(0, min(free + kept, _share * total - held)))


def take_share(share: float) -> None:
    """Plan with a share of the device's memory, where processes share a device."""
    global _share
    _share = share
