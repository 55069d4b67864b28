"""The section of docs/performance.md on handing out work."""

from __future__ import annotations

import datetime
import sys
import textwrap
from statistics import median

from evoplastic.machine import processor, usable_cores
from tests.benchmarks.cluster import driver, real

TITLE = "## Handing out work"
GPUS = 64


def section(rounds: int, generations: int, words: list[str]) -> list[str]:
    """The whole section."""
    rates = driver.shard_rates(rounds)
    large = driver.large_generations(rounds)
    memory = driver.memory_over(generations)
    step = driver.step_seconds(rounds)
    ray = real.pieces_per_second(rounds)
    alone, shared = real.generations(rounds, words)
    rows = [
        *(
            _row(
                f"pretended workers: shards a second, a generation of {shards:,} shards",
                [shards / each for each in seconds],
                "{:,.0f}",
            )
            for shards, seconds in rates.items()
        ),
        *(
            _row(
                "pretended workers: seconds of the driver for 10,000 individuals of a million "
                f"numbers, in shards of {size}",
                seconds,
                "{:.3f}",
            )
            for size, seconds in large.items()
        ),
        _row("seconds of the search's own step, 10,000 individuals, 70 neurons", step, "{:.3f}"),
        _row("two Ray workers that answer at once: pieces a second", ray, "{:,.0f}"),
        _row("a generation of `laptop` in one process, two threads: seconds", alone, "{:.3f}"),
        _row("the same with two Ray workers of one thread: seconds", shared, "{:.3f}"),
        _row(
            "two workers: times the seconds of one process, round by round",
            [b / a for a, b in zip(alone, shared, strict=True)],
            "{:.3f}",
        ),
    ]
    marks = ", ".join(f"{mib:.1f} MiB after {generation:,}" for generation, mib in memory)
    says = f"""
        Written by `make bench-cluster ARGS="{" ".join(sys.argv[1:])}"`.
        {driver.WORKERS:,} pretended workers answer at once, in the
        driver's own process: what is measured is the driver. Real workers are Ray's, on this
        machine ({processor().get("model name", "unknown processor")}, {usable_cores()} cores,
        {datetime.date.today().isoformat()}). Resident memory of the driver over generations of 500
        individuals: {marks}.
    """
    return [
        TITLE,
        "",
        *textwrap.wrap(" ".join(says.split()), 100),
        "",
        "| | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *rows,
        "",
        *textwrap.wrap(" ".join(_on_gpus(median(ray), median(step)).split()), 100),
        "",
    ]


def _on_gpus(pieces_per_second: float, step_s: float) -> str:
    """Paper arithmetic: what a generation on many GPUs costs beside its launches."""
    out_s = GPUS / pieces_per_second
    needed_s = 20 * out_s
    return f"""
        On {GPUS} GPUs, by arithmetic from these figures: a generation is {GPUS} launches, which two
        workers' rate hands out and takes back in {1000 * out_s:.0f} ms; a launch of
        {needed_s:.1f} s or more loses at most 5 % to that. The step of the search is the driver's
        alone: {step_s:.2f} s for 10,000 individuals, during which all GPUs wait, so that launches
        of {19 * step_s:.1f} s are needed to keep them 95 % busy, and more individuals do not help:
        the step draws the mutations of all pairs once more, in proportion. No GPU was measured.
    """


def _row(what: str, values: list[float], form: str) -> str:
    middle, low, high = (form.format(each) for each in (median(values), min(values), max(values)))
    return f"| {what} | {middle} | {low} | {high} |"
