"""The memory in which compiled lifetimes work; its layout is that of `engines.cpu.plan`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.engines.cpu.observations import AHEAD
from evoplastic.engines.cpu.plan import Plan, windows
from evoplastic.engines.cpu.simd.modulation import FanOut, FanOuts
from evoplastic.engines.cpu.tables import lay_flat
from evoplastic.lifetime.batch import LifetimeBatch
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.modulation.params import ModulationParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.table import Rule


class Workspace(NamedTuple):
    """Memory of one thread, for two lives side by side; all of it float32 unless said."""

    # [2, U', row] matrices; those of the lazy schedule lie in tiles
    weight: NDArray[np.float32]  # leak * (w + alpha p); transposed, [2, row, U'], unless in tiles
    alpha: NDArray[np.float32]  # leak * alpha
    elig: NDArray[np.float32]  # elig, or the trace of `cpu.lazy`
    rate: NDArray[np.float32]  # [2, T + 1, row] rates before step t of the current trial
    length: NDArray[np.int64]  # [2] steps of the last trial: where its last rates lie
    x: NDArray[np.float32]  # [2, U']
    keep: NDArray[np.float32]  # [2, U'] 1 - leak
    in_shift: NDArray[np.float32]  # [2, U'] -in_scale * threshold
    drive: NDArray[np.float32]  # [2, U'] what the clamped neurons send
    sent: NDArray[np.float32]  # [2, AHEAD, U'] the part that observations send, or 0
    sent_first: NDArray[np.int64]  # [2] the first of those observations
    clamp: NDArray[np.float32]  # [2, C'] rates of the clamped neurons
    baseline: NDArray[np.float32]  # [2, kinds]
    mean_correct: NDArray[np.float32]  # [2]
    mean_reward: NDArray[np.float32]  # [2]
    mean_loss: NDArray[np.float32]  # [2]
    baseline_decay: NDArray[np.float32]  # [2]
    baseline_rest: NDArray[np.float32]  # [2] 1 - baseline_decay
    gate: NDArray[np.float32]  # [2] M of the last outcome
    bound: NDArray[np.float32]  # [2, U'] bound on |elig| of a row
    scale: NDArray[np.float32]  # [2] elig / U of `cpu.lazy`
    clamp_changed: NDArray[np.bool_]  # [2]
    column: NDArray[np.int64]  # [N] where a neuron lies in a row
    active: NDArray[np.int64]  # [2, C'] clamped columns whose rates may differ from 0
    num_active: NDArray[np.int64]  # [2] how many they are
    activity: NDArray[np.float32]  # [O]
    entry: NDArray[np.int64]  # [2] number of the present self-paced trial in the tables
    trial_state: NDArray[np.int64]  # [2] present state of its trial
    observation: NDArray[np.int64]  # [2] what it shows
    line: NDArray[np.int64]  # [2] of the last action
    error: NDArray[np.float32]  # [3] of each part of the present trial
    scored: NDArray[np.float32]  # [3] steps of each part
    paid: NDArray[np.float32]  # [1] reward of the present trial
    drawn: NDArray[np.int64]  # [1] steps of the present trial whose noise is drawn
    xi: NDArray[np.float32]  # [T, C' + U' + 16]
    words: NDArray[np.uint32]  # [4, word_row] of a chunk of steps
    hit: NDArray[np.uint32]  # t << 16 | n
    hit_start: NDArray[np.int64]  # [T + 1]
    tile: NDArray[np.float32]  # [16, 16]
    perturbed: NDArray[np.float32]  # [U'] 1 for neurons that perturbations reach, else 0
    in_scale: NDArray[np.float32]  # [U'] 1, or 1/2 for response neurons
    speaking: NDArray[np.float32]  # [2, U'] output scale and shift within the response window
    silent: NDArray[np.float32]  # [2, U'] and outside it
    retained: NDArray[np.float32]  # [T + 1] retention ** n
    fan_outs: FanOuts  # what modulates


def allocate(size: int, dtype: type = np.float32) -> NDArray:
    """Uninitialised memory that starts on a cache line (a straddling load costs two)."""
    raw: NDArray = np.empty(size + 16, dtype=dtype)
    offset = (-raw.ctypes.data % 64) // raw.itemsize
    return raw[offset : offset + size]


def make_workspace(
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    plan: Plan,
    modulation: ModulationParams,
) -> Workspace:
    """Memory for one thread; what the lives change is left uninitialised."""
    steps, row, wide = plan.num_steps, plan.row, plan.unclamped_width
    response = slice(plan.response_at, plan.num_unclamped)
    modulators = slice(plan.modulators_at, plan.response_at)

    def filled(size: int, value: float, part: slice | None = None) -> NDArray[np.float32]:
        array = allocate(size)
        array[:] = 0.0
        array[: plan.num_unclamped] = 1.0
        if part is not None:
            array[part] = value
        return array

    perturbed = filled(wide, 1.0)
    if not config.perturbation.perturb_hidden:
        perturbed[: plan.modulators_at] = 0.0
    if not config.perturbation.perturb_modulators:
        perturbed[modulators] = 0.0
    shift = allocate(2 * wide)
    silent = allocate(2 * wide)
    shift[:] = 0.0
    silent[:] = 0.0
    shift[:wide] = filled(wide, 0.5, response)
    shift[wide:][response] = 0.5
    silent[:wide] = filled(wide, 0.0, response)
    retention = 1.0 - windows(batch)[0] / config.rule.constants.tau_elig_ms
    xi = allocate(steps * row + 64)
    xi[:] = 0.0
    sent = allocate(2 * AHEAD * wide)
    sent[:] = 0.0
    retained = allocate(steps + 1)
    retained[:] = retention ** np.arange(steps + 1)
    return Workspace(
        weight=allocate(2 * row * wide),
        alpha=allocate(2 * wide * row),
        elig=allocate(2 * wide * row),
        rate=allocate(2 * (steps + 1) * row),
        length=allocate(2, np.int64),
        x=allocate(2 * wide),
        keep=allocate(2 * wide),
        in_shift=allocate(2 * wide),
        drive=allocate(2 * wide),
        sent=sent,
        sent_first=allocate(2, np.int64),
        clamp=allocate(2 * plan.clamped_width),
        baseline=allocate(2 * batch.tables.num_kinds),
        mean_correct=allocate(2),
        mean_reward=allocate(2),
        mean_loss=allocate(2),
        baseline_decay=allocate(2),
        baseline_rest=allocate(2),
        gate=allocate(2),
        bound=allocate(2 * wide),
        scale=allocate(2),
        clamp_changed=np.zeros(2, dtype=np.bool_),
        column=allocate(groups.num_neurons, np.int64),
        active=allocate(2 * plan.clamped_width, np.int64),
        num_active=allocate(2, np.int64),
        activity=allocate(plan.num_outputs),
        entry=allocate(2, np.int64),
        trial_state=allocate(2, np.int64),
        observation=allocate(2, np.int64),
        line=allocate(2, np.int64),
        error=allocate(3),
        scored=allocate(3),
        paid=allocate(1),
        drawn=allocate(1, np.int64),
        xi=xi,
        words=allocate(4 * plan.word_row, np.uint32),
        hit=allocate(steps * wide + 16, np.uint32),
        hit_start=np.zeros(steps + 1, dtype=np.int64),
        tile=allocate(256),
        perturbed=perturbed,
        in_scale=filled(wide, 0.5, response),
        speaking=shift,
        silent=silent,
        retained=retained,
        fan_outs=_make_fan_outs(modulation, config.rule.table, wide),
    )


# Times a gene is a number of the workspace, as `simd/modulation.py` wants them.
FACTORS = {"plasticity": 1.0, "gain": 0.5, "threshold": -1.0}


def _make_fan_outs(params: ModulationParams, rule: Rule, unclamped_width: int) -> FanOuts:
    """The channels of one thread: genes where they lie, and room for those of two lives."""

    def laid(name: str) -> FanOut | None:
        fan_out_PNK = getattr(params, f"{name}_PNK")
        if fan_out_PNK is None:
            return None
        genes, stride = lay_flat(fan_out_PNK)
        signals = fan_out_PNK.shape[2]
        numbers = allocate(2 * signals * unclamped_width)
        numbers[:] = 0.0
        of_outcome = name == "plasticity" and rule.modulator == "outcome"
        return FanOut(genes, stride, signals, of_outcome, np.float32(FACTORS[name]), numbers)

    return FanOuts(laid("plasticity"), laid("gain"), laid("threshold"))
