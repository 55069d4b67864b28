"""What generated meta-tasks cost: a step, drawing and filtering them, loading a suite of them.

Beside a step stands that of a two-stimulus task whose trials are self-paced, on the same network
with the same rule: `python -m tests.benchmarks.generated` prints the section.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from statistics import median
from typing import NamedTuple, TypeVar

from evoplastic.benchmark.generation import Setting, measure_in_turn
from evoplastic.trials.stacked import StackedTables, stack_tables
from evoplastic.trials.table import TrialTable
from tasks.machines.generated.generating import Request, sift
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.levels import levels_of
from tasks.suites.loading import load_suite

TITLE = "## Generated meta-tasks"
RULES = ("node_perturbation", "node_perturbation_network", "backpropamine")
STEPS = 2000  # network steps of a lifetime
BASE = Setting(engine="cpu", population=32, neurons=70, trials=1, threads=1)
SUITE = "metaworld"
DWELLS = (1, 2, 4, 18)  # network steps that a state is shown
CANDIDATES = 1000
Given = TypeVar("Given")
Found = TypeVar("Found")


class Loading(NamedTuple):
    """Seconds of a processor until a suite of generated meta-tasks is known not to leak, until it
    has its levels, and how many tasks it has."""

    compared_s: float
    levels_s: float
    tasks: int


def main() -> None:
    """Print the section of docs/performance.md."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.generated")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default 5)")
    print("\n".join(report(parser.parse_args().repeats)))


def report(repeats: int) -> list[str]:
    """A section of docs/performance.md."""
    suite = load_suite(SUITE)
    words = [task.source for task in suite.train]
    rows = [row for rule in RULES for row in _steps(rule, words, repeats)]
    loading, filtering = _apart(_load, SUITE), _apart(_filter, CANDIDATES)
    return [
        TITLE,
        "",
        f"The CPU engine, one thread, {BASE.neurons} neurons, {BASE.population} lifetimes of about",
        f"{STEPS:,} steps, in turn: the two-stimulus task dms, self-paced; and the {len(words)}",
        f"training tasks of `{SUITE}`, as short as their two actions, or with states shown longer.",
        "",
        "| ns per step | steps of a trial | median | lowest | highest | times dms, by round |",
        "|---|--:|--:|--:|--:|--:|",
        *rows,
        "",
        f"Drawing and filtering {CANDIDATES:,} candidates takes {filtering:.1f} s of a processor.",
        f"The {loading.tasks} tasks of `{SUITE}` are read and compared, each held-out one with",
        f"each training task, in {loading.compared_s:.1f} s, and have their levels after "
        f"{loading.levels_s:.1f} s,",
        "imports left out (`python -m tests.benchmarks.generated`).",
        "",
    ]


def _steps(rule: str, words: list[str], repeats: int) -> list[str]:
    """A row for the two-stimulus task, and for generated ones of each dwell."""
    two = SelfPacedTask(name="dms", source="dms", settings={"answer_ends_trial": True})
    kinds: list[tuple[str, StackedTables]] = [("dms", stack_tables([two.table(0, 200)]))]
    kinds += [
        (f"generated, dwell {dwell}", stack_tables([_table(word, dwell) for word in words]))
        for dwell in DWELLS
    ]
    base = replace(BASE, rule=rule, trials_kind="self_paced")
    measured = measure_in_turn(
        [(replace(base, trials=STEPS // tables.num_steps), tables) for _, tables in kinds], repeats
    )
    cost = [[1e9 * s / m.steps for s in m.seconds] for m in measured]
    rows = []
    for (what, tables), ns in zip(kinds, cost, strict=True):
        ratio = [ours / unit for ours, unit in zip(ns, cost[0], strict=True)]
        rows.append(
            f"| {rule}, {what} | {tables.num_steps} | {median(ns):.0f} | {min(ns):.0f} "
            f"| {max(ns):.0f} | {median(ratio):.2f} ({min(ratio):.2f} to {max(ratio):.2f}) |"
        )
    return rows


def _table(word: str, dwell: int) -> TrialTable:
    return SelfPacedTask(name=word, source=word, settings={"dwell_steps": dwell}).table(0, 1)


def _load(path: str) -> Loading:
    began = time.process_time()
    suite = load_suite(path)
    _ = suite.interface
    compared = time.process_time()
    for name in suite.task_names:
        levels_of(suite, name)
    return Loading(compared - began, time.process_time() - began, len(suite.tasks))


def _filter(candidates: int) -> float:
    began = time.process_time()
    sift(Request(candidates, tries=candidates))
    return time.process_time() - began


def _apart(measure: Callable[[Given], Found], given: Given) -> Found:
    """In a process of its own, in which nothing has been read yet."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, given).result()


if __name__ == "__main__":
    main()
