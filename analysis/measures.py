"""The two measures of a lifetime, accuracy and reward, and the columns that hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Measure:
    """A number that each evaluated lifetime has, with the levels it is read against."""

    name: str
    prefix: str  # of the columns mean, q25, median and q75
    chance: str  # columns of the levels
    fixed_policy: str
    oracle: str | None  # none where the target action always has 100 %
    adaptive: str | None  # of the best policy that finds out a meta-task's variables
    curve: str  # column of a learning curve
    smooth_curve: str

    def column(self, statistic: str) -> str:
        """Column of a statistic.

        >>> ACCURACY.column("median"), REWARD.column("median")
        ('median', 'reward_median')
        """
        return self.prefix + statistic

    @property
    def levels(self) -> tuple[str, ...]:
        """Columns of all levels."""
        return tuple(filter(None, (self.chance, self.fixed_policy, self.oracle, self.adaptive)))

    def text(self, value: float) -> str:
        """A value with its unit, for a legend or a sentence.

        >>> ACCURACY.text(0.625), REWARD.text(-0.1)
        ('62.5 %', '-0.1')
        """
        return f"{100 * value:.3g} %" if self is ACCURACY else f"{value:.3g}"


ACCURACY = Measure(
    name="accuracy",
    prefix="",
    chance="chance",
    fixed_policy="fixed_policy_level",
    oracle=None,
    adaptive=None,
    curve="correct",
    smooth_curve="moving_average",
)
REWARD = Measure(
    name="reward",
    prefix="reward_",
    chance="reward_chance",
    fixed_policy="reward_fixed_policy",
    oracle="reward_oracle",
    adaptive="reward_adaptive",
    curve="reward",
    smooth_curve="reward_moving_average",
)
MEASURES = (ACCURACY, REWARD)

CHANCE_MEANS = "Chance: any action with equal probability at each step."
FIXED_POLICY_MEANS = (
    "Fixed policy: the best policy that ignores the stimuli but knows when an answer is due (it "
    "holds until then, and then gives one fixed answer; best in accuracy, or in reward where "
    "nothing counts as correct)."
)
ORACLE_MEANS = "Oracle: always the target action."
REGRET_MEANS = (
    "Regret: what the best adaptive policy, which knows the meta-task and finds out its variables, "
    "earns more in a trial."
)


def number(value: float | None) -> float:
    """A level as a float, NaN where there is none, so that columns hold numbers only."""
    return float("nan") if value is None else value


def is_self_paced(table: pd.DataFrame) -> bool:
    """Whether a table of tasks comes of self-paced lifetimes: rewards are judged by levels, or
    some task has no answers and so no accuracy."""
    return bool(table[REWARD.chance].notna().any() or table["mean"].isna().any())


def levels_phrase(measure: Measure, levels: Iterable[float], most: int = 3) -> str:
    """Different levels in words: each of them if they are few, else the range.

    >>> levels_phrase(ACCURACY, [0.5, 0.25, 0.5])
    '25 %, 50 %'
    >>> levels_phrase(ACCURACY, [0.5, 0.25, 0.125, 0.0625])
    '6.25 % to 50 %, by task'
    """
    known = sorted({level for level in levels if level == level})  # NaN is no level
    if len(known) <= most:
        return ", ".join(measure.text(level) for level in known)
    return f"{measure.text(known[0])} to {measure.text(known[-1])}, by task"
