"""What a setting does, over seeds, as `evoplastic analyze --by` says it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from evoplastic.checks import require

if TYPE_CHECKING:
    from analysis.effects.report import EffectsReport

logger = logging.getLogger(__name__)


def compare(
    *runs: str | Path,
    by: str | Sequence[str],
    score: str = "held_out",
    at: int | Literal["last"] | None = None,
    confidence: float = 0.95,
    out: str | Path | None = None,
    store: str | None = None,
) -> EffectsReport:
    """Compare every two values of a setting, with seeds as replicates.

        effect = mean over seeds of (score with the second value - score with the first one)

    where the seeds of both values pair, else the difference of the means over seeds; with a
    bootstrap interval, a two-sided permutation p, and that p corrected for the number of
    comparisons (Holm 1979).

    Args:
        runs: run directories, folders of runs, run ids, MLflow run ids.
        by: setting by which runs are grouped, as "search.sigma" or "rule"; of several, each
            combination of values is one setting.
        score: "held_out" or "train", the mean over such tasks, or the name of a task.
        at: generation; none means the last that all runs have evaluated, "last" that of each run.
        confidence: of the intervals.
        out: folder for the figure and its numbers; none means that nothing is written.
        store: MLflow tracking URI for runs that are given by id.

    Returns:
        Tables: `effects`, a row for every two settings; `groups`, one for each setting; `seeds`,
        one for each seed, with the bias between tasks that are each other's negation; `compared`
        says what was compared, at which generation, and what was left out.

    Raises:
        UsageError: runs that cannot be compared (one value alone, other tasks, another split, too
            few seeds, another setting that goes along), with what to do.
        EnvironmentFault: the store does not answer, or the folder cannot be written.
    """
    from analysis.effects.comparing import compare_effects, effects_of
    from analysis.folders import open_all

    require(len(runs) > 0, "no run given, expected some to compare")
    keys = [by] if isinstance(by, str) else list(by)
    require(len(keys) > 0, "by names no setting, expected one as 'search.sigma'")
    found = open_all(runs, store)
    for sentence in found.left_out:
        logger.warning("left out: %s", sentence)
    if out is None:
        return effects_of(found.runs, keys, score=score, at=at, confidence=confidence)
    folder = Path(out)
    report, _ = compare_effects(found.runs, keys, folder, score=score, at=at, confidence=confidence)
    return report
