"""The page: what a report tells, put into its template, in one file that asks for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from analysis.page.again import Origin, commands, files
from analysis.page.comparison import comparison_of
from analysis.page.contents import Contents
from analysis.page.drawing import draw
from analysis.page.kinship import kinship_of
from analysis.page.series import by_generation, within_a_life
from analysis.page.story import story
from analysis.page.strip import strip_of
from analysis.page.tables import task_tables
from analysis.page.words import setting_word
from evoplastic.checks import require
from evoplastic.output import shown

TEMPLATES = Path(__file__).parent
MOST_BYTES = 5_000_000
MOST_SETTINGS = 12  # columns of the table of settings


class SettingsTable(NamedTuple):
    """What differs from the recipe, or between settings."""

    told: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def page_of(contents: Contents, origins: dict[str, Origin]) -> str:
    """The HTML of a report.

    Args:
        contents: its numbers.
        origins: of each run, by its id.

    Raises:
        UsageError: genomes that are said to come from each other; so many runs that the page would
            be larger than 5 MB.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=_visible,
    )
    kinship = kinship_of(contents)
    lifetimes = [draw(plot) for plot in within_a_life(contents)]
    text = environment.get_template("page.html").render(
        title=_title(contents),
        facts=_facts(contents),
        story=story(contents),
        settings=settings_table(contents, origins),
        tables=task_tables(contents),
        comparison=comparison_of(contents),
        several=len(contents.settings) > 1,
        names=contents.names,
        by_generation=[draw(plot) for plot in by_generation(contents)],
        strip=strip_of(contents),
        within=lifetimes,
        kinship=kinship,
        kinship_svg=_Drawn(kinship.svg),
        again=commands(contents, origins),
        files=files(contents, origins),
        footer=_footer(contents),
    )
    size = len(text.encode(errors="replace"))
    require(
        size < MOST_BYTES,
        f"the report of {len(contents.runs)} runs would have {size / 1e6:.1f} MB, expected less "
        f"than {MOST_BYTES / 1e6:.0f}; report fewer runs at a time",
    )
    return text


class _Drawn(str):
    """Markup that has been escaped where it was made."""

    def __html__(self) -> str:
        return self


def _visible(value: Any) -> Any:
    """Text with its control characters written out; markup as it is."""
    return shown(value) if type(value) is str else value


def settings_table(contents: Contents, origins: dict[str, Origin]) -> SettingsTable:
    """Of one setting what differs from its recipe, of several what differs between them."""
    if len(contents.settings) == 1:
        origin = origins[contents.runs[0].run_id]
        if origin.recipe is None:
            told = "The settings are those of no recipe; all of them are below."
            return SettingsTable(told, (), ())
        if not origin.changes:
            told = f"All settings are those of the recipe {origin.recipe}, but for the seed."
            return SettingsTable(told, (), ())
        rows = [
            (key, setting_word(old), setting_word(new))
            for key, (old, new) in origin.changes.items()
        ]
        columns = ("setting", f"recipe {origin.recipe}", "here")
        return SettingsTable("What differs from the recipe:", columns, tuple(rows))
    keys = list(dict.fromkeys(key for each in contents.settings for key in each.values))
    shown_settings = contents.settings[:MOST_SETTINGS]
    headings = ("setting", *(f"{n + 1}" for n in range(len(shown_settings))))
    told_rows = [
        (key, *(setting_word(each.values.get(key)) for each in shown_settings)) for key in keys
    ]
    seeds = ("seeds", *(", ".join(str(run.seed) for run in each.runs) for each in shown_settings))
    more = len(contents.settings) - len(shown_settings)
    told = "What differs between the settings" + (f" ({more} more are not shown):" if more else ":")
    return SettingsTable(told, headings, (*told_rows, seeds))


def _title(contents: Contents) -> str:
    first = contents.runs[0].start
    if len(contents.runs) == 1:
        return f"{first.name}, seed {first.seed}"
    names = list(dict.fromkeys(run.start.name for run in contents.runs))
    what = names[0] if len(names) == 1 else f"{len(names)} recipes"
    if len(contents.settings) == 1:
        return f"{what}, {len(contents.runs)} seeds"
    return f"{what}: {len(contents.settings)} settings, {len(contents.runs)} runs"


def _facts(contents: Contents) -> list[str]:
    runs = contents.runs
    begun = sorted({_day(run.start.time_ms) for run in runs})
    facts = [f"run {runs[0].run_id}" if len(runs) == 1 else f"{len(runs)} runs"]
    facts.append(begun[0] if len(begun) == 1 else f"{begun[0]} to {begun[-1]}")
    facts.append("commit " + ", ".join(sorted({run.commit for run in runs})))
    engines = sorted({run.start.engine for run in runs} - {""})
    return [*facts, *([f"engine {', '.join(engines)}"] if engines else [])]


def _day(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d")


def _footer(contents: Contents) -> str:
    """Which runs, and with what they were made."""
    runs = ", ".join(run.run_id for run in contents.runs)
    versions = contents.runs[0].start.versions
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"Runs: {runs}." + (f" Made with {made}." if made else "")
