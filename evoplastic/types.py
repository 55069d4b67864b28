"""The shape legend and the contract between tasks, networks and kernels.

Shape legend (a tensor's name ends in the letters of its axes, `rate_PN`):

    P  individuals (networks living at the same time)
    K  trials of a lifetime
    T  time steps of a trial
    N  neurons
    I  stimulus inputs
    O  response outputs, one per action
    F  feedback neurons
    M  entries of a trial bank
    V  nodes of trials: where a trial can stand, a step of it or a state at a step
    Q  periods of a trial
    B  trial banks (one per task)
    G  genome length

A task room hands over `TrialBank`s (arrays in main memory, no framework); an engine in
`evoplastic.engines` lives them and returns a `LifetimeResult`. Paced trials are in
`TrialBank`s; trials that run freely, an action and a reward at every step, in `StepBank`s
(`evoplastic.trials.step_bank`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from evoplastic.checks import require

if TYPE_CHECKING:
    from evoplastic.trials.table import StackedNodes
    from evoplastic.trials.wiring import Wiring
    from evoplastic.trials.world import SteppedTask

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NO_GROUND_TRUTH = -1


@dataclass(frozen=True, kw_only=True)
class Interface:
    """How many lines a task and a network must have in common."""

    num_inputs: int  # I, stimulus lines
    num_outputs: int  # O, actions to choose from

    def __post_init__(self) -> None:
        require(self.num_inputs >= 1, f"num_inputs is {self.num_inputs}, expected at least 1")
        require(self.num_outputs >= 2, f"num_outputs is {self.num_outputs}, expected at least 2")


@dataclass(frozen=True, kw_only=True)
class TrialTiming:
    """Paced trials: every trial lasts `num_steps`; windows are half-open step ranges [start, stop).

    The response is the activity of the response neurons summed over `response`; the outcome is
    clamped onto the feedback neurons during `feedback`, and external plasticity happens once, at
    the first step of `feedback`.
    """

    dt_ms: float
    num_steps: int  # T
    response: tuple[int, int]
    feedback: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "dt_ms", float(self.dt_ms))  # 20 and 20.0 have one digest
        require(self.dt_ms > 0, f"dt_ms is {self.dt_ms}, expected a positive duration")
        for name in ("response", "feedback"):
            start, stop = getattr(self, name)
            require(
                0 <= start < stop <= self.num_steps,
                f"{name} window [{start}, {stop}) does not lie inside the trial of "
                f"{self.num_steps} steps; shorten the window or lengthen the trial",
            )
        require(
            self.response[1] <= self.feedback[0],
            f"feedback starts at step {self.feedback[0]}, before the response window ends at "
            f"step {self.response[1]}; the outcome is known only when the response is over",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialBank:
    """All trials a task can ask; a lifetime draws entries uniformly, with replacement."""

    task: str
    timing: TrialTiming
    stimulus_MTI: Float32Array  # dimensionless input, usually within [-1, 1]; 0 = nothing shown
    target_MO: Float32Array  # response asked for, within [0, 1]; its argmax is the correct action
    reward_MO: Float32Array  # the environment's own reward for choosing each action
    kind_M: Int64Array  # trial kind, 0 .. num_kinds - 1: what the per-kind baseline tells apart

    def __post_init__(self) -> None:
        entries = len(self.stimulus_MTI)
        require(entries > 0, f"trial bank of task {self.task!r} is empty, expected M >= 1 entries")
        require(
            self.stimulus_MTI.ndim == 3 and self.stimulus_MTI.shape[1] == self.timing.num_steps,
            f"stimulus_MTI of task {self.task!r} has shape {self.stimulus_MTI.shape}, "
            f"expected (M, T, I) with T = {self.timing.num_steps}",
        )
        for name in ("target_MO", "reward_MO"):
            shape = getattr(self, name).shape
            require(
                len(shape) == 2 and shape[0] == entries,
                f"{name} of task {self.task!r} has shape {shape}, expected (M, O) with "
                f"M = {entries}",
            )
        require(
            self.target_MO.shape == self.reward_MO.shape,
            f"task {self.task!r}: target_MO {self.target_MO.shape} and reward_MO "
            f"{self.reward_MO.shape} must have one shape (M, O)",
        )
        require(
            self.kind_M.shape == (entries,) and int(self.kind_M.min()) >= 0,
            f"kind_M of task {self.task!r} must hold one kind >= 0 for each of {entries} entries",
        )
        for name in ("stimulus_MTI", "target_MO", "reward_MO"):
            require(
                bool(np.isfinite(getattr(self, name)).all()),
                f"{name} of task {self.task!r} holds values that are not finite",
            )

    @property
    def interface(self) -> Interface:
        """The numbers of stimulus and response lines that a network must offer."""
        return Interface(num_inputs=self.stimulus_MTI.shape[2], num_outputs=self.target_MO.shape[1])

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of what the task asks; the name does not enter."""
        return content_digest(
            repr(self.timing), self.stimulus_MTI, self.target_MO, self.reward_MO, self.kind_M
        )


def content_digest(words: str, *arrays: NDArray[Any]) -> str:
    """SHA-256 (16 hexadecimal digits) of words and arrays, their types and shapes included."""
    content = hashlib.sha256(words.encode())
    for array in arrays:
        content.update(repr((array.dtype.str, array.shape)).encode())
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:16]


@runtime_checkable
class Task(Protocol):
    """What a task must supply: a name, a sentence, and its trials."""

    @property
    def name(self) -> str:
        """Unique within a suite, in the words users type."""
        ...

    @property
    def description(self) -> str:
        """One sentence for listings."""
        ...

    def bank(self, seed: int) -> TrialBank:
        """The trials, a function of the seed alone (finite tasks ignore it)."""
        ...


class StackedBanks(NamedTuple):
    """Banks of several tasks laid end to end, so that each individual may live another task."""

    timing: TrialTiming
    stimulus_MTI: Float32Array
    target_MO: Float32Array
    reward_MO: Float32Array
    kind_M: Int64Array
    start_B: Int64Array  # first entry of each bank
    size_B: Int64Array  # number of entries of each bank
    num_kinds: int  # most kinds any bank has


def stack_banks(banks: list[TrialBank]) -> StackedBanks:
    """Lay banks end to end.

    Raises:
        ValueError: no banks, or banks that differ in timing or interface.
    """
    require(len(banks) > 0, "no trial banks to stack, expected at least one task")
    first = banks[0]
    for bank in banks[1:]:
        for what, ours, theirs in (
            ("timing", first.timing, bank.timing),
            ("interface", first.interface, bank.interface),
        ):
            require(
                ours == theirs,
                f"tasks {first.task!r} and {bank.task!r} differ in {what}: {ours} and {theirs}; "
                "tasks that live in one population need the same",
            )
    sizes = np.array([len(bank.kind_M) for bank in banks], dtype=np.int64)
    return StackedBanks(
        timing=first.timing,
        stimulus_MTI=np.concatenate([b.stimulus_MTI for b in banks]).astype(np.float32),
        target_MO=np.concatenate([b.target_MO for b in banks]).astype(np.float32),
        reward_MO=np.concatenate([b.reward_MO for b in banks]).astype(np.float32),
        kind_M=np.concatenate([b.kind_M for b in banks]).astype(np.int64),
        start_B=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        size_B=sizes,
        num_kinds=int(max(b.kind_M.max() for b in banks)) + 1,
    )


class PlasticParams(NamedTuple):
    """Set by the genome, constant for a lifetime; row i holds what neuron i receives."""

    w_PNN: Tensor  # innate weight from neuron j to neuron i at [p, i, j]
    alpha_PNN: Tensor  # plasticity coefficient of the same connection


class LifetimeBatch(NamedTuple):
    """Who lives what: everything about P lifetimes that is not the genome.

    Random numbers are a function of (seed, epoch, stream, trial, step, neuron) and of nothing
    else; two individuals with the same streams meet the same trials and the same perturbations.
    """

    banks: StackedBanks | StackedNodes | SteppedTask  # paced, free-running, stepped for real
    task_P: Int64Array  # index of the bank that each individual lives
    seed: int  # run seed, 0 <= seed < 2**64
    epoch: int  # generation, 0 <= epoch < 2**24
    trial_stream_P: Int64Array  # stream of the trial order, 0 <= stream < 2**32
    perturb_stream_P: Int64Array  # stream of the node perturbations
    evaluation: bool = False  # evaluation lifetimes draw from streams of their own
    wiring: Wiring | None = None  # lines of each individual; needed unless trials are paced

    @property
    def paced(self) -> StackedBanks:
        """The banks of a batch whose trials are paced."""
        assert isinstance(self.banks, StackedBanks)
        return self.banks

    @property
    def free(self) -> StackedNodes | SteppedTask:
        """The tasks of a batch whose trials run freely."""
        assert not isinstance(self.banks, StackedBanks)
        return self.banks


class LifetimeResult(NamedTuple):
    """What a lifetime leaves behind, per individual and trial, in main memory."""

    loss_PK: Tensor  # float32, graded loss of the response window
    correct_PK: Tensor  # bool, chosen action == asked action
    reward_PK: Tensor  # float32, the environment's reward for the chosen action
    # float32; sum over t >= 1 of (mod(t) - mod(t-1))^2 of trials from `first_trial` on, divided by
    # all K trials; 0 with external modulation.
    smoothness_P: Tensor
    steps_PK: Tensor  # int32, time steps that each trial took
