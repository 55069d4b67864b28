"""The fused GPU engine: one program lives one individual through all trials in a single launch.

Equal to the reference to float32 rounding, on the same random numbers bit for bit. Needs torch,
numpy and triton alone.
"""

from __future__ import annotations

import importlib.util
import logging
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.kernels.lifetime.gpu_plan import (
    BASELINE_CODES,
    FEEDBACK_CODES,
    Tiles,
    make_ints,
    make_reals,
    make_tiles,
    num_action_slots,
    num_kind_slots,
    retained,
)
from evoplastic.lifetime import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.types import LifetimeBatch, LifetimeResult, PlasticParams, StackedBanks

logger = logging.getLogger(__name__)

MAX_DRAWS = 1 << 31  # position words and tile offsets are 32-bit
DRAWS_PER_BLOCK = 128
STEPS_PER_PRODUCT = 16
MEMORY_SHARE = 0.9  # of what is free; the rest is for the allocator and compiled kernels
_announced: set[int] = set()  # a cut into waves is said once per number of individuals


def gpu_available() -> str | None:
    """Why this machine cannot run the engine, or None if it can."""
    if not torch.cuda.is_available():
        return "no CUDA device is visible to torch"
    if importlib.util.find_spec("triton") is None:
        return "the package triton is not installed"
    return None


def gpu_covers(groups: NeuronGroups, batch: LifetimeBatch, config: LifetimeConfig) -> str | None:
    """Why this engine cannot live these lifetimes, or None if it can."""
    if not isinstance(batch.banks, StackedBanks):
        return "trials that run freely"
    if config.plasticity.outcome == "reward" or config.feedback.startswith("reward"):
        return "rewards as outcome or feedback"
    steps, neurons = batch.paced.timing.num_steps, groups.num_neurons
    tiles = make_tiles(groups, config)
    largest = max(4 * (steps + 1) * (neurons + 4), 5 * tiles.matrix, batch.paced.stimulus_MTI.size)
    if largest >= MAX_DRAWS:
        return f"{neurons} neurons, {steps} steps and the trial bank need more than 32-bit offsets"
    return None


class _Lives(NamedTuple):
    """Individuals of one wave on the device."""

    w: Tensor  # [P, N, N]
    alpha: Tensor  # [P, N, N]
    task: Tensor  # [P]
    trial_stream: Tensor  # [P]
    perturb_stream: Tensor  # [P]


class _Banks(NamedTuple):
    """The stacked banks on the device."""

    stimulus: Tensor  # [M, T, I]
    target: Tensor  # [M, O], within [target_low, target_high]
    asked: Tensor  # [M] the correct action
    reward: Tensor  # [M, O]
    kind: Tensor  # [M]
    start: Tensor  # [B]
    size: Tensor  # [B]


@torch.no_grad()
def run_gpu(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    *,
    device: torch.device | str = "cuda",
    memory_bytes: int | None = None,
    streamed: bool = False,
) -> LifetimeResult:
    """Live P whole lifetimes on a GPU.

    Args:
        params: innate weights and plasticity coefficients [P, N, N], on any device.
        groups: which neuron does what.
        batch: tasks and random streams of the individuals.
        config: everything else about the lifetime.
        device: a CUDA device; "cpu" only under Triton's interpreter.
        memory_bytes: device memory to stay within; by default nine tenths of what is free. A
            population that needs more is lived in waves.
        streamed: keep matrices in device memory even where they would fit on chip.

    Raises:
        UsageError: not even one individual fits into the memory.
    """
    device = torch.device(device)
    num_lives, num_trials = len(batch.task_P), config.num_trials
    tiles = make_tiles(groups, config, streamed)
    processors = _num_processors(device)
    programs = min(num_lives, processors * tiles.programs_per_processor)
    programs, wave = _fit(
        programs, num_lives, groups, batch, config, tiles, memory_bytes or _free_bytes(device)
    )
    if wave < num_lives and num_lives not in _announced:
        _announced.add(num_lives)
        logger.warning(
            "%d individuals do not fit into the GPU's memory at once: lived in %d waves of %d",
            num_lives,
            -(-num_lives // wave),
            wave,
        )
    banks = _bring_banks(batch, config, device)
    scratch = _scratch(programs, batch, config, tiles, device)
    loss_PK = torch.empty((num_lives, num_trials), dtype=torch.float32)
    correct_PK = torch.empty((num_lives, num_trials), dtype=torch.bool)
    reward_PK = torch.empty((num_lives, num_trials), dtype=torch.float32)
    smoothness_P = torch.zeros(num_lives, dtype=torch.float32)
    for first in range(0, num_lives, wave):
        part = slice(first, min(first + wave, num_lives))
        lives = _Lives(
            params.w_PNN[part].to(device, torch.float32).contiguous(),
            params.alpha_PNN[part].to(device, torch.float32).contiguous(),
            *(
                torch.from_numpy(np.ascontiguousarray(array[part], dtype=np.int64)).to(device)
                for array in (batch.task_P, batch.trial_stream_P, batch.perturb_stream_P)
            ),
        )
        with torch.cuda.device(device if device.type == "cuda" else -1):  # -1 changes nothing
            loss, correct, reward, roughness = _live_wave(
                lives, groups, batch, config, tiles, banks, scratch, programs
            )
        loss_PK[part] = loss.cpu()
        correct_PK[part] = correct.cpu().bool()
        reward_PK[part] = reward.cpu()
        if config.plasticity.modulation == "internal":
            smoothness_P[part] = roughness.cpu() / num_trials
    steps_PK = torch.full(loss_PK.shape, batch.paced.timing.num_steps, dtype=torch.int32)
    return LifetimeResult(loss_PK, correct_PK, reward_PK, smoothness_P, steps_PK)


def _live_wave(
    lives: _Lives,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    tiles: Tiles,
    banks: _Banks,
    scratch: dict[str, Tensor],
    programs: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One launch: loss, correctness and reward [P, K], and roughness [P], on the device."""
    device, num_lives = lives.w.device, len(lives.w)
    shape = (num_lives, config.num_trials)
    loss = torch.empty(shape, dtype=torch.float32, device=device)
    correct = torch.empty(shape, dtype=torch.int8, device=device)
    reward = torch.empty(shape, dtype=torch.float32, device=device)
    roughness = torch.empty(num_lives, dtype=torch.float32, device=device)
    ints = torch.tensor(
        make_ints(num_lives, groups, batch, config), dtype=torch.int64, device=device
    )
    reals = torch.tensor(make_reals(batch, config), dtype=torch.float32, device=device)
    internal = config.plasticity.modulation == "internal"
    sizes: dict[str, Any] = {
        "N": groups.num_neurons,
        "I": groups.num_inputs,
        "O": groups.num_outputs,
        "WIDE": tiles.wide,
        "CP": tiles.clamped,
        "DRAWS": DRAWS_PER_BLOCK,
        "KINDS": num_kind_slots(batch),
        "FEEDBACK": FEEDBACK_CODES[config.feedback],
        "BINARY": config.plasticity.outcome == "binary",
        "BASELINE": BASELINE_CODES[config.plasticity.baseline],
        "num_warps": tiles.num_warps,
        "enable_fp_fusion": True,  # a product and a sum in one instruction; newer Tritons ask
    }
    blocks = {"BJ": tiles.block_sources, "BI": tiles.block_targets, "BT": STEPS_PER_PRODUCT}
    gate_always = config.plasticity.gate == "always"
    grid = (min(programs, num_lives),)
    told = (*lives, *banks, ints, reals)
    if not tiles.on_chip:
        from evoplastic.kernels.lifetime.gpu_streamed import live_streamed

        live_streamed[grid](
            *told,
            scratch["retained"],
            scratch["matrices"],
            scratch["history"],
            scratch["xi"],
            scratch["x"],
            loss,
            correct,
            reward,
            roughness,
            **sizes,
            **blocks,
            ACTIONS=num_action_slots(groups),
            CLAMPS=1 << (tiles.clamped - 1).bit_length(),
            GATE_ALWAYS=gate_always,
            INTERNAL=internal,
        )
    elif internal:
        from evoplastic.kernels.lifetime.gpu_internal import live_internal

        live_internal[grid](
            *told,
            scratch["matrices"],
            scratch["xi"],
            loss,
            correct,
            reward,
            roughness,
            **sizes,
            BJ=tiles.block_sources,
            BI=tiles.block_targets,
            GATE_ALWAYS=gate_always,
        )
    else:
        from evoplastic.kernels.lifetime.gpu_external import live_external

        live_external[grid](
            *told,
            scratch["retained"],
            scratch["matrices"],
            scratch["history"],
            scratch["xi"],
            scratch["force"],
            loss,
            correct,
            reward,
            **sizes,
            **blocks,
        )
    return loss, correct, reward, roughness


def _bring_banks(batch: LifetimeBatch, config: LifetimeConfig, device: torch.device) -> _Banks:
    banks = batch.paced

    def bring(array: Any, dtype: type) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=dtype)).to(device)

    low, high = np.float32(config.target_low), np.float32(config.target_high)
    return _Banks(
        stimulus=bring(banks.stimulus_MTI, np.float32),
        target=bring(np.clip(banks.target_MO, low, high), np.float32),
        asked=bring(banks.target_MO.argmax(1), np.int32),
        reward=bring(banks.reward_MO, np.float32),
        kind=bring(banks.kind_M, np.int32),
        start=bring(banks.start_B, np.int64),
        size=bring(banks.size_B, np.int64),
    )


def _scratch(
    programs: int,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    tiles: Tiles,
    device: torch.device,
) -> dict[str, Tensor]:
    """Memory that programs work in, one piece for each running at a time."""
    sizes = _scratch_sizes(batch, config, tiles)
    pieces = {
        name: torch.empty((programs, size), dtype=torch.float32, device=device)
        for name, size in sizes.items()
    }
    pieces["xi"].zero_()  # columns beyond the last neuron are read and never written
    pieces["retained"] = torch.from_numpy(retained(batch, config)).to(device)
    return pieces


def _scratch_sizes(batch: LifetimeBatch, config: LifetimeConfig, tiles: Tiles) -> dict[str, int]:
    rows = batch.paced.timing.num_steps + 1
    in_registers = tiles.on_chip and config.plasticity.modulation == "internal"
    return {
        "matrices": 5 * tiles.matrix,
        "history": 0 if in_registers else rows * tiles.row,
        "xi": rows * tiles.wide,
        "force": rows * tiles.wide if tiles.on_chip and not in_registers else 0,
        "x": 0 if tiles.on_chip else tiles.wide,
    }


def _fit(
    programs: int,
    num_lives: int,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    tiles: Tiles,
    memory_bytes: int,
) -> tuple[int, int]:
    """Programs at a time, and individuals of a wave, that stay within the memory."""
    per_program = 4 * sum(_scratch_sizes(batch, config, tiles).values())
    per_life = 8 * groups.num_neurons**2 + 9 * config.num_trials + 28
    programs = max(1, min(programs, memory_bytes // 2 // per_program))
    wave = min(num_lives, (memory_bytes - programs * per_program) // per_life)
    require(
        wave >= 1,
        f"one individual of {groups.num_neurons} neurons needs {per_program + per_life} bytes of "
        f"GPU memory, {memory_bytes} are free; free memory on the GPU or use engine=cpu",
    )
    return programs, wave


def _num_processors(device: torch.device) -> int:
    if device.type != "cuda":
        return 1
    return int(torch.cuda.get_device_properties(device).multi_processor_count)


def _free_bytes(device: torch.device) -> int:
    if device.type != "cuda":
        return 1 << 32
    free, _ = torch.cuda.mem_get_info(device)
    return int(MEMORY_SHARE * free)
