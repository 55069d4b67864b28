"""One combination as trials of fixed timing, with or without lines that tell its levels.

All combinations have one timing, so that one population meets them all: the second stimulus, the
answer window and the outcome come at the same time, and the delay decides when the first stimulus
came. The outcome is known as in the two-stimulus tasks (`tasks.two_stimulus.task`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from evoplastic.checks import require
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import TrialTiming
from tasks.two_stimulus.combinations.factors import (
    DELAYS_MS,
    FACTORS,
    MODALITIES,
    RULES,
    Levels,
    levels_of,
)
from tasks.two_stimulus.listed import DT_MS, ListedTask
from tasks.two_stimulus.task import CONDITIONS, FUNCTIONS, NUM_ACTIONS, stimulus_lines

STIMULUS_MS = 120
SECOND_MS = 340  # begin of the second stimulus
RESPONSE_MS, FEEDBACK_MS = (500, 700), (720, 920)
TRIAL_MS = 1000
PAIRS = 2
NUM_STIMULUS_LINES = 2 * PAIRS
LINES = ("a: 1", "a: 0", "b: 1", "b: 0")  # +1 and -1 on a pair show a 1


@dataclass(frozen=True)
class CombinationTask(ListedTask):
    """Two bits, and what one combination of levels asks of them.

    Args:
        of: its level of each factor.
        cues: the levels that have a line, 1 throughout a trial of that level: all that a suite has,
            in the order of factors; () = nothing tells the combination.
    """

    of: Levels
    cues: tuple[tuple[str, str], ...] = ()  # (factor, level)

    @property
    def name(self) -> str:
        """Its levels."""
        return self.of.name

    @property
    def description(self) -> str:
        """What to answer, in a sentence."""
        said = FUNCTIONS[RULES[self.of.rule]][1]
        asked, conflict = MODALITIES[self.of.modality]
        if self.of.response == "anti":
            said = f"0{said[1:]}" if said.startswith("1") else f"the opposite of {said}"
        shown = f"on pair {'ab'[asked]}" + (
            f", whatever pair {'ba'[asked]} shows" if conflict else ""
        )
        gap_ms = DELAYS_MS[self.of.delay]
        return f"Answer {said} ({shown}; {gap_ms} ms between the stimuli)."

    @property
    def source(self) -> str:
        """Its name: what a user types."""
        return self.name

    @property
    def settings(self) -> Mapping[str, bool]:
        """Whether cues tell its levels."""
        return {"cued": bool(self.cues)}

    @property
    def truth_table(self) -> tuple[int, ...]:
        """The correct action for each of `CONDITIONS`.

        >>> combination("same-none-anti-a").truth_table
        (0, 1, 1, 0)
        """
        anti = self.of.response == "anti"
        return tuple(int(value) ^ anti for value in FUNCTIONS[RULES[self.of.rule]][0])

    def without_cues(self) -> CombinationTask:
        """The same trials, without lines that tell the combination."""
        return CombinationTask(self.of)

    def trials(self, seed: int = 0, num_trials: int = len(CONDITIONS)) -> TrialTable:
        """The 4 trials in the order of `CONDITIONS`, or 16 where the other pair shows bits too;
        neither seed nor number is used.

            kind = 2 stimulus1 + stimulus2                of the pair that counts
            reward_MO[m] = (1 - y, y)                     for target action y

        stimulus_MTI is [4 or 16, 50, 4 + cues]: +-1 on two opposed lines of each pair while a
        stimulus is shown, else 0; 1 throughout on the line of each of its levels, if they are told.
        """
        return _table(self)

    def periods(self) -> dict[str, tuple[int, int]]:
        """Half-open step ranges [start, stop) of what happens in a trial."""
        first, second = _stimulus_steps(self.of.delay)
        return {
            "stimulus1": (first.start, first.stop),
            "stimulus2": (second.start, second.stop),
            "response": _steps(RESPONSE_MS),
            "feedback": _steps(FEEDBACK_MS),
        }


def combination(name: str) -> CombinationTask:
    """The combination of that name, without cues.

    Raises:
        UsageError: no such combination.
    """
    levels = levels_of(name)
    require(
        levels is not None,
        f"{name!r} is no combination; expected RULE-DELAY-RESPONSE-MODALITY, as same-long-anti-b, "
        + "; ".join(f"{factor}: {', '.join(known)}" for factor, known in FACTORS.items()),
    )
    assert levels is not None
    return CombinationTask(levels)


@lru_cache(maxsize=512)
def _table(task: CombinationTask) -> TrialTable:
    asked, conflict = MODALITIES[task.of.modality]
    others = CONDITIONS if conflict else ((),)
    trials = list(product(CONDITIONS, others))
    T = TRIAL_MS // DT_MS
    stimulus_MTI = np.zeros((len(trials), T, NUM_STIMULUS_LINES), dtype=np.float32)
    for entry, (bits, other) in enumerate(trials):
        for pair, shown in ((asked, bits), (1 - asked, other)):
            for window, bit in zip(_stimulus_steps(task.of.delay), shown, strict=False):
                stimulus_MTI[entry, window, 2 * pair : 2 * pair + 2] = stimulus_lines(bit)
    own = dict(zip(FACTORS, task.of, strict=True))
    cue_J = np.array([own[factor] == level for factor, level in task.cues], dtype=np.float32)
    cue_MTJ = np.broadcast_to(cue_J, (len(trials), T, len(cue_J)))
    kind_M = np.array([2 * first + second for (first, second), _ in trials], dtype=np.int64)
    action_M = np.array(task.truth_table, dtype=np.int64)[kind_M]
    return fixed_timing_table(
        task=task.name,
        timing=TrialTiming(
            dt_ms=float(DT_MS),
            num_steps=T,
            response=_steps(RESPONSE_MS),
            feedback=_steps(FEEDBACK_MS),
        ),
        stimulus_MTI=np.concatenate([stimulus_MTI, cue_MTJ], axis=2),
        target_action_M=action_M,
        reward_MO=np.eye(NUM_ACTIONS, dtype=np.float32)[action_M],
        kind_M=kind_M,
    )


def _stimulus_steps(delay: str) -> tuple[slice, slice]:
    first_ms = SECOND_MS - DELAYS_MS[delay] - STIMULUS_MS
    first, second = (_steps((begin, begin + STIMULUS_MS)) for begin in (first_ms, SECOND_MS))
    return slice(*first), slice(*second)


def _steps(span_ms: tuple[int, int]) -> tuple[int, int]:
    return span_ms[0] // DT_MS, span_ms[1] // DT_MS
