"""Several settings against each other over their seeds, as a report shows it."""

from __future__ import annotations

from typing import NamedTuple

from analysis.effects.groups import compared_groups
from analysis.effects.report import EffectsReport, report_of
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

    Settings that cannot be tested against each other have a note that says why, and no rows.
    """
    if len(contents.settings) < 2:
        return None
    keys = list(dict.fromkeys(key for each in contents.settings for key in each.values))
    role = next(role for role in reversed(ROLES) if contents.tasks(role))
    try:
        report = report_of(compared_groups(contents.runs, keys, role, "last"), CONFIDENCE)
    except UsageError as error:
        return Comparison("Differences between settings", (), (), (f"Not tested: {error}.",))
    return _shown(report, role)


def _shown(report: EffectsReport, role: str) -> Comparison:
    measure = report.compared.measure
    rows = tuple(
        (
            f"{row['second']} minus {row['first']}",
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
    notes = [*sentences(report), *(f"Left out: {each}." for each in report.compared.left_out)]
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
    >>> _signed(ACCURACY, 0.084), _signed(REWARD, -0.5)
    ('+8.4', '-0.5')
    """
    return f"{100 * value:+.1f}" if measure is ACCURACY else f"{value:+.3g}"
