"""The section of docs/performance.md on time to acquisition, and how it gets there."""

from __future__ import annotations

import datetime
import math
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from evoplastic.machine import processor, usable_cores
from tests.benchmarks.search.acquisition import LEVEL, STAYS, Point, Run
from tests.benchmarks.search.settings import MEASURED_EVERY, Setting

TITLE = "## Time to acquisition"
TRIED = (
    "## What was tried to make the search quicker"  # written by hand, and kept by `make bench` too
)


def table(settings: Sequence[Setting], runs: Sequence[Run]) -> list[str]:
    """A row for each setting that has runs: median and spread over seeds."""
    rows = []
    for setting in settings:
        mine = [run for run in runs if run.setting == setting.name]
        if not mine:
            continue
        found = [run.acquired() for run in mine]
        reached = sum(point is not None for point in found)
        finals = [run.final() for run in mine]
        rows.append(
            f"| {setting.name} | {mine[0].points[-1].lifetimes:,} | {reached} of {len(mine)} "
            f"| {_spread(found, lambda point: point.lifetimes, '{:,.0f}')} "
            f"| {_spread(found, lambda point: point.trials / 1e6, '{:.1f}')} "
            f"| {_spread(found, lambda point: point.seconds, '{:.0f}')} "
            f"| {median(finals):.3f} ({min(finals):.3f} to {max(finals):.3f}) |"
        )
    return [
        "| setting | lifetimes of a run | seeds that acquire | after lifetimes | after trials, "
        "millions | after seconds | accuracy at the end |",
        "|---|--:|--:|--:|--:|--:|--:|",
        *rows,
    ]


def _spread(found: Sequence[Point | None], of: Callable[[Point], float], form: str) -> str:
    """Median and range over seeds; a seed that never acquires counts as later than all others."""
    values = [math.inf if point is None else of(point) for point in found]
    said = [
        form.format(value) if math.isfinite(value) else "never"
        for value in (median(values), min(values), max(values))
    ]
    return f"{said[0]} ({said[1]} to {said[2]})"


def section(settings: Sequence[Setting], runs: Sequence[Run]) -> list[str]:
    """The whole section."""
    seeds = ", ".join(map(str, sorted({run.seed for run in runs})))
    commits = ", ".join(sorted({run.commit for run in runs}))
    says = f"""
        Written by `make bench-search`: what evolution spends until newborns acquire held-out tasks,
        that is until the first measurement at which held-out accuracy is at least {LEVEL:.2f} and
        stays so over {STAYS} of them in a row, one every {MEASURED_EVERY:,} lifetimes. Median and
        range over the seeds {seeds}; accuracy at the end is the mean of the last {STAYS}
        measurements. Lifetimes, trials and seconds are those of evolution, without measuring.
        Seconds depend on the machine and on what else it does
        ({processor().get("model name", "unknown processor")}, {usable_cores()} cores); lifetimes
        do not. Commit {commits}, {datetime.date.today().isoformat()}.
    """
    return [
        TITLE,
        "",
        *textwrap.wrap(" ".join(says.split()), 100),
        "",
        *table(settings, runs),
        "",
        *(f"- {each.name}: `{each.says()}`" for each in settings),
        "",
    ]


def kept(text: str, title: str) -> list[str]:
    """The lines of a section with this title, up to the next one; [] if there is none."""
    lines = text.splitlines()
    if title not in lines:
        return []
    begin = lines.index(title)
    end = next(
        (at for at in range(begin + 1, len(lines)) if lines[at].startswith("## ")), len(lines)
    )
    return [*"\n".join(lines[begin:end]).strip().splitlines(), ""]


def put(text: str, lines: Sequence[str]) -> str:
    """The text with a section in place of the one of its title, or at the end."""
    old = kept(text, lines[0])
    new = "\n".join(lines)
    if old:
        return (text.rstrip("\n") + "\n").replace("\n".join(old), new, 1)
    return text.rstrip("\n") + "\n\n" + new


def write(target: Path, lines: Sequence[str]) -> None:
    """Put the section into a file."""
    target.write_text(put(target.read_text() if target.exists() else "", lines))
