"""A stream of classes as a task of a suite: `{task: class-stream, set: {classes: 20}}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from evoplastic.checks import require_known
from evoplastic.trials.table import TrialTable
from tasks.baselines.levels import TaskLevels, table_levels
from tasks.suites.streams.classes.stream import ClassStream

WORD = "class-stream"  # what is typed for it
SAMPLE_SEED = 0
SAMPLE_TRIALS = 96
LEAST_STREAMS = 16  # of a table, however few trials are asked for


@dataclass(frozen=True, kw_only=True)
class ClassStreamTask:
    """Streams of one kind; each lifetime meets one of them, from its beginning.

    Raises:
        UsageError: an unknown setting (with the nearest one), or one out of range.
    """

    name: str
    dt_ms: int
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    about: str = ""

    def __post_init__(self) -> None:
        _ = self.stream  # checks the settings

    @cached_property
    def stream(self) -> ClassStream:
        """What the stream is."""
        known = [each.name for each in fields(ClassStream)]
        for name in self.settings:
            require_known(f"setting of {WORD}:", name, known)
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.settings.items()
        }
        return ClassStream(**given)

    @property
    def source(self) -> str:
        """What a user types for it."""
        return WORD

    @property
    def description(self) -> str:
        """What the suite says of it, else what it is."""
        stream = self.stream
        return self.about or (
            f"{stream.classes} classes one after the other, {stream.examples} examples each, once; "
            "then new examples of all."
        )

    @property
    def pacing(self) -> Literal["self_paced"]:
        """The network acts at every step, though nothing but its last action counts."""
        return "self_paced"

    @property
    def path(self) -> Literal["bank"]:
        """Its trials are drawn beforehand."""
        return "bank"

    @property
    def stepped(self) -> bool:
        """It fits into a table."""
        return False

    def trials(self, seed: int, num_trials: int) -> TrialTable:
        """So many trials at least, in whole streams; a function of seed and number."""
        streams = max(LEAST_STREAMS, -(-num_trials // self.stream.num_trials))
        return self.stream.table(self.name, streams, seed, self.dt_ms)

    def one_stream(self) -> TrialTable:
        """The trials of a single stream with its course, always the same."""
        return self.stream.table(self.name, 1, SAMPLE_SEED, self.dt_ms)

    def sample(self, num_trials: int = SAMPLE_TRIALS) -> TrialTable:
        """Probes by which it is compared with other tasks, always the same; labels tell nothing."""
        streams = -(-num_trials // self.stream.num_trials)
        table = self.stream.table(self.name, streams, SAMPLE_SEED, self.dt_ms)
        asked_M = np.tile(self.stream.probe_K, streams)
        return replace(
            table, first_M=table.first_M[asked_M], kind_M=table.kind_M[asked_M], course=None
        )

    def levels(self) -> TaskLevels:
        """What simple policies reach, whatever the classes."""
        return table_levels(self.sample())
