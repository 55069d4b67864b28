"""How the runs of a report are run again: commands that name no place of any machine."""

from __future__ import annotations

from typing import Any, NamedTuple

from analysis.page.contents import Contents
from analysis.store import RunRecords
from evoplastic.commands import PROGRAM, quoted

DIGITS = 16  # of a digest, in commands
MOST_RUNS = 12  # that have a line of their own


class Origin(NamedTuple):
    """What a run was made of, as far as it can be said without its directory."""

    recipe: str | None  # of which it differs in what follows; none for settings of its own
    changes: dict[str, tuple[Any, Any]]  # by key: the recipe's value, the run's
    overrides: tuple[str, ...]  # key=value; with the recipe and the seed they give the same run
    settings: str  # all of them, as a file that `evolve` takes


class Block(NamedTuple):
    """Commands, and what they do."""

    told: str
    lines: tuple[str, ...]


def commands(contents: Contents, origins: dict[str, Origin]) -> list[Block]:
    """What to type to have the runs again, their networks measured, and more of their records."""
    runs = contents.runs
    digests = [run.evaluations[-1].genome_digest[:DIGITS] for run in runs]
    blocks = [
        Block(
            "The same " + ("run" if len(runs) == 1 else "runs") + _with_files(runs, origins),
            tuple(_evolve(run, origins[run.run_id], contents) for run in runs[:MOST_RUNS]),
        ),
        Block(
            "New lifetimes of the newest genomes, by their digests: in a folder whose runs/ holds "
            "them, or with --store URI of the MLflow store that they were delivered to.",
            tuple(_line("evaluate", each, "--lifetimes", "256") for each in digests[:MOST_RUNS]),
        ),
        Block(
            "More figures, and this report, from that store:",
            (
                *(_line("analyze", run.run_id, "--store", "URI") for run in runs[:MOST_RUNS]),
                _line("report", *(run.run_id for run in runs), "--store", "URI"),
            ),
        ),
    ]
    return blocks


def files(contents: Contents, origins: dict[str, Origin]) -> list[tuple[str, str]]:
    """Settings by the name of their file, one for each setting."""
    return [
        (file_name(contents, number), origins[setting.runs[0].run_id].settings)
        for number, setting in enumerate(contents.settings)
    ]


def file_name(contents: Contents, setting: int) -> str:
    """The file that the settings below are to be kept as."""
    return f"settings{'' if len(contents.settings) == 1 else setting + 1}.yaml"


def _with_files(runs: list[RunRecords], origins: dict[str, Origin]) -> str:
    if all(origins[run.run_id].recipe is not None for run in runs):
        return " again:"
    return " again, from the settings below, each kept as a file of its name:"


def _evolve(run: RunRecords, origin: Origin, contents: Contents) -> str:
    number = next(n for n, each in enumerate(contents.settings) if run in each.runs)
    what = origin.recipe or file_name(contents, number)
    started = (run.config.get("warm_start") or {}).get("genome")
    begin = ["--from", str(started)[:DIGITS]] if started else []
    return _line("evolve", what, *begin, f"seed={run.seed}", *origin.overrides)


def _line(*words: str) -> str:
    return " ".join([PROGRAM, *map(quoted, words)])
