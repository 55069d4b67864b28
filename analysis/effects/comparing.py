"""`analyze --by`: every two values of a setting compared over seeds, with a figure and its numbers.

The score of a run is its mean over the tasks of a role; that of a seed is one number, so a claim
rests on as many numbers as there are seeds, however many lifetimes stand behind each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from analysis.effects.groups import At, compared_groups
from analysis.effects.report import EffectsReport, as_plain, report_of
from analysis.figures.effects import figure_effects
from analysis.figures.style import save_figure, write_csv, write_json
from analysis.store import RunRecords
from evoplastic.checks import require

CONFIDENCE = 0.95


def compare_effects(
    runs: Sequence[RunRecords],
    by: Sequence[str],
    out_dir: Path,
    *,
    score: str = "held_out",
    at: At = None,
    confidence: float = CONFIDENCE,
) -> tuple[EffectsReport, tuple[Path, ...]]:
    """Compare every two values of a setting, and draw them; the numbers, and the files.

    Args:
        runs: any that have evaluated a center.
        by: keys of the setting; of several, each combination of values is one setting.
        out_dir: where `effect_of_KEY` goes: png, svg, pdf, csv, json, and the seeds as csv.
        score: held_out or train, means over tasks, or the name of a task.
        at: see `compared_groups`.
        confidence: of the intervals.

    Raises:
        UsageError: what cannot be compared, see `compared_groups`.
        EnvironmentFault: the directory cannot be written.
    """
    report = effects_of(runs, by, score=score, at=at, confidence=confidence)
    words = (re.sub(r"[^\w.-]", "_", key) for key in report.compared.keys)
    stem = out_dir / f"effect_of_{'_and_'.join(words)}"
    files = (
        *save_figure(figure_effects(report), stem, pdf=True),
        write_csv(report.effects, stem),
        write_csv(report.seeds, stem.with_name(f"{stem.name}_seeds")),
        write_json(as_plain(report), stem),
    )
    return report, files


def effects_of(
    runs: Sequence[RunRecords],
    by: Sequence[str],
    *,
    score: str = "held_out",
    at: At = None,
    confidence: float = CONFIDENCE,
) -> EffectsReport:
    """The numbers alone; arguments and errors are those of `compare_effects`."""
    require(
        0.0 < confidence < 1.0,
        f"confidence is {confidence}, expected a share between 0 and 1, as 0.95",
    )
    return report_of(compared_groups(runs, by, score, at), confidence)
