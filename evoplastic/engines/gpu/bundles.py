"""What goes into a kernel in one piece: individuals, tasks, numbers, memory, and what is left.

Each is a named tuple of pointers on the device; in a kernel it is a named tuple too. Needs no
Triton.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class FixedTimingIndividuals(NamedTuple):
    """The individuals of one launch, who meet trials of fixed timing."""

    w: Any  # matrices, `w_stride` apart
    alpha: Any
    task: Any  # [P]
    trial_stream: Any  # [P]
    perturb_stream: Any  # [P]
    intrinsic: Any  # [P, rows, U'] what neurons have of their own, see `launch.bring_intrinsic`
    decay: Any  # [P, 2], share of a running mean that survives a trial, and the rest to 1


class SelfPacedIndividuals(NamedTuple):
    """The individuals of one launch, who meet self-paced trials."""

    w: Any
    alpha: Any
    task: Any  # [P]
    entry: Any  # [P], the trial that each begins with
    perturb_stream: Any  # [P]
    intrinsic: Any  # [P, rows, U'] what neurons have of their own, see `launch.bring_intrinsic`
    decay: Any  # [P, 2], share of a running mean that survives a trial, and the rest to 1
    channel: Any  # [P, I], the channel that each input line carries, -1 for none
    action: Any  # [P, O], the action of each response line, -1 for none


class Coefficients(NamedTuple):
    """What the terms of a rule are multiplied by; see `every_step/codes.py`."""

    of_target: Any  # [P, rows, U'], 0 beyond the unclamped neurons
    of_source: Any  # [P, rows, row], 0 where there is no neuron
    of_pair: Any  # [P, matrices, N, N], `pair_stride` apart
    retention: Any  # [P] of the trace


class SelfPacedStreamIndividuals(NamedTuple):
    """The individuals of one launch, who meet self-paced trials as courses have them."""

    w: Any
    alpha: Any
    task: Any  # [P]
    trial_stream: Any  # [P], in place of the trial that each begins with
    perturb_stream: Any  # [P]
    intrinsic: Any
    decay: Any
    channel: Any
    action: Any


class FixedTimingTasks(NamedTuple):
    """Trials of fixed timing, those of all tasks end to end."""

    stimulus: Any  # [M, T, I]
    target: Any  # [M, O], what each response neuron shall be
    target_action: Any  # [M]
    reward: Any  # [M, O]
    kind: Any  # [M]
    start: Any  # [B]
    size: Any  # [B]


class SelfPacedTasks(NamedTuple):
    """Trial states of self-paced trials, those of all tasks end to end."""

    observation: Any  # [V, channels]
    target_action: Any  # [V]
    flags: Any  # [V]
    reward: Any  # [V, choices]
    onward: Any  # [V, choices], the state that an action leads to
    first: Any  # [M], state that a trial begins with
    kind: Any  # [M]
    start: Any  # [B]
    size: Any  # [B]


class Numbers(NamedTuple):
    """The numbers of a batch, in the order of `plan.Ints` and `plan.Reals`."""

    ints: Any
    reals: Any


class NumbersWithCourses(NamedTuple):
    """The numbers of a batch in which some task has a course."""

    ints: Any
    reals: Any
    course: Any  # [B, K + 1, COLUMNS], from where each trial is drawn (`engines.courses`)


class Memory(NamedTuple):
    """Memory to work in, for all programs or for one of them; laid out by `memory`."""

    matrices: Any  # [5, row, U']
    history: Any  # [T + 1, row] rates before each step
    xi: Any  # [T + 1, U'] perturbations of a trial
    force: Any  # [T + 1, U'] what drives a trial from outside
    x: Any  # [U'] activations, where they do not stay on chip
    powers: Any  # [T + 1] what is left of a trace after 0, 1 .. T steps; the same for all


class Record(NamedTuple):
    """What the individuals of one launch leave on the device."""

    loss: Any  # [P, K]
    correct: Any  # [P, K]
    reward: Any  # [P, K]
    roughness: Any  # [P], written if the network modulates
    steps: Any  # [P, K], written by self-paced trials


class Ends(NamedTuple):
    """One side of some connections at a step, within a kernel."""

    rate: Any
    xi: Any
    mean: Any  # running means of the rates, before the step's enter
    exists: Any  # 1, or 0 where there is no neuron


class Means(NamedTuple):
    """Running means of one individual within a kernel."""

    baseline: Any  # [kinds] of the outcome
    correct: Any
    reward: Any
    loss: Any
    decay: Any  # what survives a trial, and what comes in
    rest: Any
