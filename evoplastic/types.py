"""The shape legend, and what tasks, networks and engines have in common.

Shape legend (a tensor's name ends in the letters of its axes, `rate_PN`):

    P  individuals
    K  trials of a lifetime
    T  time steps of a trial
    N  neurons
    I  stimulus inputs
    O  response outputs, one per action
    F  feedback neurons
    M  trials of a table
    V  states of trials: where a trial can stand, a step of it or a state at a step
    Q  periods of a trial
    B  tasks (one trial table each)
    G  genome length

Tasks hand over `TrialTable`s (`evoplastic.trials.table`: arrays in main memory, no framework); an
engine in `evoplastic.engines` runs lifetimes in them and returns a `LifetimeResult`
(`evoplastic.lifetime.batch`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NO_TARGET = -1


@dataclass(frozen=True, kw_only=True)
class Interface:
    """How many lines a task and a network must have in common."""

    num_inputs: int  # I, stimulus lines
    num_outputs: int  # O, actions to choose from

    def __post_init__(self) -> None:
        require(self.num_inputs >= 1, f"num_inputs is {self.num_inputs}, expected at least 1")
        require(self.num_outputs >= 2, f"num_outputs is {self.num_outputs}, expected at least 2")


def content_digest(words: str, *arrays: NDArray[Any]) -> str:
    """SHA-256 (16 hexadecimal digits) of words and arrays, their types and shapes included."""
    content = hashlib.sha256(words.encode())
    for array in arrays:
        content.update(repr((array.dtype.str, array.shape)).encode())
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()[:16]
