"""Several settings against each other over their seeds, as a report shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from analysis.effects.groups import compared_groups
from analysis.effects.report import EffectsReport, report_of
from analysis.effects.statistics import FEWEST_SEEDS
from analysis.generalization import ROLES
from analysis.measures import ACCURACY, Measure
from analysis.page.contents import Contents
from analysis.tables.effects import sentences
from evoplastic.checks import UsageError

CONFIDENCE = 0.95
MOST_ROWS = 28  # comparisons that are shown, of eight settings all


class Comparison(NamedTuple):
    """Differences between every two settings."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def comparison_of(contents: Contents) -> Comparison | None:
    """Compare the settings of a report over their seeds; None where there is one setting.

    Settings that cannot be tested against each other have a note, and no rows.
    """
    if len(contents.settings) < 2:
        return None
    keys = list(dict.fromkeys(key for each in contents.settings for key in each.values))
    role = next(role for role in reversed(ROLES) if contents.tasks(role))
    title = "Differences between settings"
    alone = [
        name
        for name, setting in zip(contents.names, contents.settings, strict=True)
        if len(setting.runs) < FEWEST_SEEDS
    ]
    if len(contents.settings) - len(alone) < 2:
        note = f"Not tested: a test needs at least two settings of {FEWEST_SEEDS} seeds each."
        return Comparison(title, (), (), (note,))
    try:
        report = report_of(compared_groups(contents.runs, keys, role, "last"), CONFIDENCE)
    except UsageError:  # its words name folders of this machine
        by = " ".join(f"--by {key}" for key in keys)
        note = f"Not tested; what stands in the way, evoplastic analyze RUN... {by} says."
        return Comparison(title, (), (), (note,))
    return _shown(contents, report, role, alone)


def _shown(contents: Contents, report: EffectsReport, role: str, alone: list[str]) -> Comparison:
    measure = report.compared.measure
    of_run = {
        run.run_id: name
        for name, setting in zip(contents.names, contents.settings, strict=True)
        for run in setting.runs
    }
    names = {group.name: of_run[group.runs[0].run_id] for group in report.compared.groups}
    rows = tuple(
        (
            f"{names[row['second']]} minus {names[row['first']]}",
            _signed(measure, row["difference"]),
            f"{_signed(measure, row['low'])} to {_signed(measure, row['high'])}",
            f"{row['p']:.2g}",
            f"{row['p_holm']:.2g}",
            f"{row['seeds']}{' pairs' if row['paired'] else ''}",
        )
        for _, row in report.effects.iterrows()
    )
    kind = "held-out" if role == "held_out" else "training"
    unit = ", in percent points" if measure is ACCURACY else ""
    more = len(rows) - MOST_ROWS
    compared = replace(report.compared, pairs=())  # the story tells of negations
    notes = sentences(replace(report, compared=compared))
    notes += [f"Of one seed, and so left out: {'; '.join(alone)}."] if alone else []
    notes += [f"{more} more comparisons: evoplastic analyze --by has them."] if more > 0 else []
    return Comparison(
        title=f"Differences between settings, {measure.name} on {kind} tasks{unit}",
        columns=("difference", f"{CONFIDENCE:.0%} interval", "p", "p (Holm)", "seeds"),
        rows=tuple(rows[:MOST_ROWS]),
        notes=tuple(notes),
    )


def _signed(measure: Measure, value: float) -> str:
    """A difference with its sign.

    >>> from analysis.measures import ACCURACY, REWARD
    >>> _signed(ACCURACY, 0.084), _signed(ACCURACY, -1e-9), _signed(REWARD, -0.5)
    ('+8.4', '+0.0', '-0.5')
    """
    return f"{100 * value:+z.1f}" if measure is ACCURACY else f"{value:+.3g}"
