"""What a step costs under each rule, beside rivals that compute the same lifetimes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from evoplastic.benchmark.generation import (
    Setting,
    first_generation,
    lifetime_config,
    measure_in_turn,
)
from evoplastic.engines import run_lifetimes, usable_threads
from evoplastic.rules.catalogue import RULES
from evoplastic.trials.stacked import StackedTables
from tests.benchmarks.rivals import jax_rules, numpy_stepping

BASE = Setting(engine="cpu", population=16, neurons=70, trials=60, threads=1)
CROWD, SHORT = 256, 30  # individuals and trials that the rivals live


class Cost(NamedTuple):
    """Nanoseconds per step, round by round."""

    what: str
    ns: tuple[float, ...]

    def row(self, unit: Cost) -> str:
        """Least, median and largest, and the ratio of the least ones."""
        ratio = min(self.ns) / min(unit.ns)
        numbers = f"{min(self.ns):.0f} | {median(self.ns):.0f} | {max(self.ns):.0f}"
        return f"| {self.what} | {numbers} | {ratio:.2f} |"


def report(banks: StackedTables, repeats: int) -> list[str]:
    """The section on rules."""
    rules = _rules(banks, 3 * repeats)
    rivals, absent = _rivals(banks, repeats)
    return [
        "## Rules",
        "",
        f"The CPU engine, one thread, {BASE.neurons} neurons, rules in turn, round after round;",
        "the ratio is that of the fastest rounds, which other work on the machine disturbs least.",
        "",
        "| ns per step | fastest | median | slowest | times node_perturbation |",
        "|---|--:|--:|--:|--:|",
        *(cost.row(rules[0]) for cost in rules),
        "",
        f"Rivals live the same lifetimes, {CROWD} individuals and {SHORT} trials (the network that",
        "is stepped alone in NumPy: one individual); a test compares their losses with the",
        f"reference's. {absent}".rstrip(),
        "",
        "| ns per step | fastest | median | slowest | times the engine, 1 thread | all threads |",
        "|---|--:|--:|--:|--:|--:|",
        *rivals,
        "",
    ]


def _rules(banks: StackedTables, rounds: int) -> list[Cost]:
    wanted = [(replace(BASE, rule=rule), banks) for rule in RULES]
    return [
        Cost(m.setting.rule, tuple(1e9 * s / m.steps for s in m.seconds))
        for m in measure_in_turn(wanted, rounds)
    ]


def _rivals(banks: StackedTables, rounds: int) -> tuple[list[str], str]:
    """A row for each rival, and what could not be measured."""
    rows, absent = [], jax_rules.missing()
    for rule in jax_rules.CHANGES:
        setting = replace(BASE, rule=rule, population=CROWD, trials=SHORT)
        rows += _beside(setting, banks, rounds, with_jax=absent is None)
    return rows, f"Not measured: JAX, {absent}." if absent else ""


def _beside(setting: Setting, banks: StackedTables, rounds: int, *, with_jax: bool) -> list[str]:
    """Rivals of one rule and the engine, round after round."""
    params, groups, batch = first_generation(setting, banks)
    config = lifetime_config(setting)
    steps = setting.trials * batch.tables.num_steps

    def engine(threads: int) -> Callable[[], object]:
        return lambda: run_lifetimes(params, groups, batch, config, engine="cpu", threads=threads)

    cores = usable_threads(0)
    runs: dict[str, tuple[Callable[[], object], int]] = {
        "1 thread": (engine(1), setting.population),
        "all threads": (engine(cores), setting.population),
    }
    if with_jax:
        runs[f"{setting.rule}, JAX (vmap, scan, jit), all cores"] = (
            lambda: jax_rules.live(setting.rule, params, batch, setting.trials),
            setting.population,
        )
    if setting.rule == "abcd":
        runs["abcd, one network at a time in NumPy"] = (
            lambda: numpy_stepping.live(params, batch, 0, setting.trials),
            1,
        )
    costs: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, (live, lives) in runs.items():
            begin = time.perf_counter()
            live()
            taken = time.perf_counter() - begin
            if turn > 0:  # the first round compiles
                costs[name].append(1e9 * taken / (lives * steps))
    alone, all_threads = min(costs.pop("1 thread")), min(costs.pop("all threads"))
    engines = f"(CPU engine {alone:.0f}, {all_threads:.0f} on {cores} threads)"
    return [
        f"| {name} {engines} | {min(ns):.0f} | {median(ns):.0f} | {max(ns):.0f} "
        f"| {min(ns) / alone:.1f} | {min(ns) / all_threads:.1f} |"
        for name, ns in costs.items()
    ]
