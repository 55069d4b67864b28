"""Suites and tasks by name: ours, those of a file, and tasks outside of any suite."""

from __future__ import annotations

from pathlib import Path

from tasks.neurogym.task import DEFAULT_DT_MS, SelfPacedTask
from tasks.suites.split import Pacing, SuiteTask
from tasks.suites.streams.classes.task import WORD as CLASS_STREAM
from tasks.suites.streams.classes.task import ClassStreamTask
from tasks.suites.suite import Suite
from tasks.suites.suite_file import KeptSuite, SuiteFile, known_suite_files, read_suite_file
from tasks.two_stimulus.combinations.factors import levels_of
from tasks.two_stimulus.combinations.task import CombinationTask
from tasks.two_stimulus.task import NAMES, TwoStimulusTask, parity_half


def load_suite(
    name_or_path: str | Path, table: str | None = None, kept: KeptSuite | None = None
) -> Suite:
    """The suite of that name, or of that YAML file; `table` overrides the table of the file.

    Loading a suite of self-paced tasks builds no trials and needs no NeuroGym. With `kept`, its
    text is read in place of the file.

    Raises:
        UsageError: unknown suite, family, task or table; a file that is no suite; a held-out leak
            (of self-paced tasks: when their trials are first needed).
    """
    content = read_suite_file(name_or_path, table, kept)
    halves: tuple[int, ...] = ()
    if _is_published(content):  # the halves that the published alternation takes
        halves = tuple(parity_half(task.name) for task in content.train)
    return Suite(
        name=content.name,
        description=content.description,
        train=content.train,
        held_out=content.held_out,
        pacing=content.pacing,
        half_of_train=halves,
        rule_cue=content.rule_cue,
        permute=content.permute,
        families=content.families,
        held_out_families=content.held_out_families,
        groups=content.groups,
    )


def known_suites(pacing: Pacing | None = None) -> list[str]:
    """Names of the suites that come with the package, or of those whose trials are so paced."""
    names = sorted(known_suite_files())
    return [name for name in names if pacing in (None, read_suite_file(name).pacing)]


def two_stimulus_suites() -> list[str]:
    """Names of the suites that come with the package and train on two-stimulus tasks alone."""
    return [name for name in sorted(known_suite_files()) if _is_published(read_suite_file(name))]


def _is_published(content: SuiteFile) -> bool:
    """Whether training tasks are two-stimulus tasks by name, without streams."""
    return content.table is not None and {task.name for task in content.train} <= set(NAMES)


def find_task(
    name: str, pacing: Pacing, *, table: str = "intended", dt_ms: int = DEFAULT_DT_MS
) -> SuiteTask:
    """A task of one kind outside of any suite.

    Raises:
        UsageError: unknown two-stimulus task or table; whether another task exists shows when its
            trials are built.
    """
    if pacing == "fixed_timing":
        levels = levels_of(name)
        return TwoStimulusTask(name, table) if levels is None else CombinationTask(levels)
    if name == CLASS_STREAM:
        return ClassStreamTask(name=name, dt_ms=dt_ms)
    return SelfPacedTask(name=name, source=name, dt_ms=dt_ms)
