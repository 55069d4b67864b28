"""Which lines of the network carry the channels and actions of each individual's task.

Tasks of different sizes share one network: a task's channels and actions take the first lines. To
keep evolution from building a task's wiring into the genome, lines can be exchanged at random, anew
for every lifetime. Line 0, NeuroGym's fixation cue and the action of doing nothing, stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from evoplastic.checks import require
from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key
from evoplastic.types import Int64Array, Interface

Permute = Literal["none", "inputs", "actions", "both"]

NO_LINE = -1


@dataclass(frozen=True, kw_only=True)
class WiringConfig:
    """How tasks are wired to the lines of the network."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    interface: Interface
    permute: Permute = "none"
    cue_lines: int = 0
    """The last input lines, which tell the task and are never exchanged."""

    def __post_init__(self) -> None:
        require(
            0 <= self.cue_lines < self.interface.num_inputs,
            f"cue_lines is {self.cue_lines}, expected fewer than the "
            f"{self.interface.num_inputs} input lines",
        )


class Wiring(NamedTuple):
    """Lines of P individuals; NO_LINE beyond the channels and actions of their tasks."""

    input_PI: Int64Array  # input line that carries channel i
    action_PO: Int64Array  # response line that stands for action o


def draw_wiring(
    config: WiringConfig,
    num_inputs_P: Int64Array,
    num_actions_P: Int64Array,
    stream_P: Int64Array,
    *,
    seed: int,
    epoch: int,
    evaluation: bool,
) -> Wiring:
    """The lines of each individual, a function of (seed, epoch, stream) and of its task's sizes.

    Args:
        config: lines of the network, and what is exchanged.
        num_inputs_P: channels of each individual's task.
        num_actions_P: actions of each individual's task.
        stream_P: individuals of one stream are wired alike.
        seed: run seed.
        epoch: generation.
        evaluation: evaluation lifetimes draw from streams of their own.

    Raises:
        UsageError: a task has more channels or actions than the network has lines.
    """
    I, O = config.interface.num_inputs, config.interface.num_outputs
    for name, needed, there in (
        ("input", int(num_inputs_P.max()), I),
        ("action", int(num_actions_P.max()), O),
    ):
        require(
            needed <= there,
            f"a task has {needed} {name} lines, the network has {there}; use a network of the "
            "suite's interface",
        )
    purpose = Purpose.EVALUATION_WIRING if evaluation else Purpose.WIRING
    word = purpose_word(purpose, epoch)
    inputs_PI = np.tile(np.arange(I, dtype=np.int64), (len(stream_P), 1))
    actions_PO = np.tile(np.arange(O, dtype=np.int64), (len(stream_P), 1))
    if config.permute in ("inputs", "both"):
        mixed = I - config.cue_lines
        inputs_PI[:, :mixed] = _permutations(mixed, stream_P, seed, word, 0)
    if config.permute in ("actions", "both"):
        actions_PO = _permutations(O, stream_P, seed, word, 1)
    return Wiring(_cut(inputs_PI, num_inputs_P), _cut(actions_PO, num_actions_P))


def _permutations(size: int, stream_P: Int64Array, seed: int, word: int, row: int) -> Int64Array:
    """A permutation [P, size] of lines 1 .. size - 1 for each stream: the order of random words."""
    position = np.arange(size, dtype=np.int64)[None, :]
    drawn, *_ = philox((position, row, stream_P[:, None], word), seed_key(seed))
    keys_PL = np.array(drawn)
    keys_PL[:, 0] = -1  # line 0 comes first
    order: Int64Array = np.argsort(keys_PL, axis=1, kind="stable")
    return order


def _cut(lines_PL: Int64Array, used_P: Int64Array) -> Int64Array:
    """NO_LINE beyond what the tasks of the individuals use."""
    return np.where(np.arange(lines_PL.shape[1]) < used_P[:, None], lines_PL, NO_LINE)
