"""The 14 two-stimulus tasks: hold one bit in memory, combine it with a second, answer.

Miconi (2023), "Learning to acquire novel cognitive tasks with evolution, plasticity and
meta-meta-learning", ICML, PMLR 202:24756. Two fair bits are shown one after the other; the correct
action is a Boolean function of both. The tasks are all 16 functions but the two constants:

    stimulus1, stimulus2    00  01  10  11
    and                      0   0   0   1
    nand                     1   1   1   0
    01                       0   1   0   0
    anti01                   1   0   1   1
    10                       0   0   1   0
    anti10                   1   1   0   1
    watchstim1               0   0   1   1
    watchstim2               0   1   0   1
    dms                      1   0   0   1
    antiwatchstim2           1   0   1   0
    antiwatchstim1           1   1   0   0
    or                       0   1   1   1
    nor                      1   0   0   0
    dnms                     0   1   1   0

This is the table *intended*. The table *published* is what the published code computes: there
anti10 is 10 once more, and nor is NOT(stimulus1 AND NOT stimulus2), which is anti10. So it has one
function under two names, and no task has nor itself.

This module is plain data; `tasks.two_stimulus.env` plays the same data as NeuroGym environments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evoplastic.checks import require_known
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import TrialTiming
from tasks.two_stimulus.listed import DT_MS, ListedTask

PERIODS_MS = {
    "stimulus1": 160,
    "gap1": 40,
    "stimulus2": 160,
    "gap2": 40,
    "delay": 100,
    "response": 200,
    "gap3": 20,
    "feedback": 200,
    "idle": 80,
}
CONDITIONS = ((0, 0), (0, 1), (1, 0), (1, 1))  # (stimulus1, stimulus2), in the order of trial kinds
NUM_LINES = 2
NUM_ACTIONS = 2

# The order of the names is the published one: evolution alternates between its even and odd places.
FUNCTIONS = {
    "and": ((0, 0, 0, 1), "1 if both stimuli are 1"),
    "nand": ((1, 1, 1, 0), "1 unless both stimuli are 1"),
    "01": ((0, 1, 0, 0), "1 if the stimuli are 0, then 1"),
    "anti01": ((1, 0, 1, 1), "1 unless the stimuli are 0, then 1"),
    "10": ((0, 0, 1, 0), "1 if the stimuli are 1, then 0"),
    "anti10": ((1, 1, 0, 1), "1 unless the stimuli are 1, then 0"),
    "watchstim1": ((0, 0, 1, 1), "the first stimulus"),
    "watchstim2": ((0, 1, 0, 1), "the second stimulus"),
    "dms": ((1, 0, 0, 1), "1 if the stimuli are the same (delayed match to sample)"),
    "antiwatchstim2": ((1, 0, 1, 0), "the opposite of the second stimulus"),
    "antiwatchstim1": ((1, 1, 0, 0), "the opposite of the first stimulus"),
    "or": ((0, 1, 1, 1), "1 if any stimulus is 1"),
    "nor": ((1, 0, 0, 0), "1 if no stimulus is 1"),
    "dnms": ((0, 1, 1, 0), "1 if the stimuli differ (delayed non-match to sample)"),
}
NAMES = tuple(FUNCTIONS)
TABLES = ("intended", "published")
PUBLISHED_FUNCTION = {"anti10": "10", "nor": "anti10"}  # where the published code does otherwise


def truth_table(name: str, table: str = "intended") -> tuple[int, int, int, int]:
    """The correct action for each of `CONDITIONS`.

    >>> truth_table("nor"), truth_table("nor", "published")
    ((1, 0, 0, 0), (1, 1, 0, 1))

    Raises:
        UsageError: unknown name or table.
    """
    return FUNCTIONS[_function(name, table)][0]


def parity_half(name: str) -> int:
    """0 or 1: the place of a task among the 14 names, modulo 2 (Miconi 2023, code).

    The published search asks half 0 for two generations, then half 1 for two, in turn.

    Raises:
        UsageError: unknown name.
    """
    require_known("task", name, NAMES)
    return NAMES.index(name) % 2


def period_steps() -> dict[str, tuple[int, int]]:
    """Half-open step ranges [start, stop) of the periods of a trial.

    >>> period_steps()["response"]
    (25, 35)
    """
    stops = np.cumsum(list(PERIODS_MS.values())) // DT_MS
    starts = [0, *stops[:-1]]
    return {
        name: (int(start), int(stop))
        for name, start, stop in zip(PERIODS_MS, starts, stops, strict=True)
    }


def stimulus_lines(bit: int) -> tuple[float, float]:
    """The two opposed lines of one stimulus: (1, -1) for bit 1, (-1, 1) for bit 0."""
    sign = 2.0 * bit - 1.0
    return sign, -sign


@dataclass(frozen=True)
class TwoStimulusTask(ListedTask):
    """One of the 14 tasks, as a bank of its four trials."""

    name: str
    table: str = "intended"

    def __post_init__(self) -> None:
        _function(self.name, self.table)

    @property
    def actions(self) -> tuple[int, int, int, int]:
        """The correct action for each of `CONDITIONS`."""
        return truth_table(self.name, self.table)

    @property
    def description(self) -> str:
        """What to answer, in a sentence."""
        function = _function(self.name, self.table)
        sentence = f"Answer {FUNCTIONS[function][1]}"
        if function == self.name:
            return f"{sentence}."
        return f"{sentence}; published under this name, but the same as the intended {function}."

    @property
    def source(self) -> str:
        """Its name: what a user types."""
        return self.name

    @property
    def settings(self) -> Mapping[str, str]:
        """The truth table."""
        return {"table": self.table}

    def trials(self, seed: int = 0, num_trials: int = len(CONDITIONS)) -> TrialTable:
        """The four trials in the order of `CONDITIONS`; neither seed nor number is used.

            kind = 2 stimulus1 + stimulus2
            reward_MO[m] = (1 - y, y)    for target action y

        stimulus_MTI is [4, 50, 2], +-1 while a stimulus is shown, else 0.
        """
        steps = period_steps()
        num_steps = steps["idle"][1]
        stimulus_MTI = np.zeros((len(CONDITIONS), num_steps, NUM_LINES), dtype=np.float32)
        for entry, bits in enumerate(CONDITIONS):
            for period, bit in zip(("stimulus1", "stimulus2"), bits, strict=True):
                stimulus_MTI[entry, slice(*steps[period])] = stimulus_lines(bit)
        action_M = np.array(self.actions, dtype=np.int64)
        return fixed_timing_table(
            task=self.name,
            timing=TrialTiming(
                dt_ms=float(DT_MS),
                num_steps=num_steps,
                response=steps["response"],
                feedback=steps["feedback"],
            ),
            stimulus_MTI=stimulus_MTI,
            target_action_M=action_M,
            reward_MO=np.eye(NUM_ACTIONS, dtype=np.float32)[action_M],
            kind_M=np.array([2 * first + second for first, second in CONDITIONS], dtype=np.int64),
        )


def _function(name: str, table: str) -> str:
    """The intended task whose function a name stands for in a table."""
    require_known("task", name, NAMES)
    require_known("table of two-stimulus tasks", table, TABLES)
    return PUBLISHED_FUNCTION.get(name, name) if table == "published" else name
