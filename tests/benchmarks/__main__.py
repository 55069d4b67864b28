"""`make bench`: engines against each other and their rivals; writes docs/performance.md."""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from evoplastic.benchmark.generation import (
    Measurement,
    Setting,
    first_generation,
    hardware,
    lifetime_config,
    measure,
    measure_in_turn,
)
from evoplastic.benchmark.trials import fixed_trials, self_paced_trials
from evoplastic.engines import run_lifetimes, usable_threads
from evoplastic.rules.catalogue import RULES
from evoplastic.trials.stacked import StackedTables, stack_tables
from evoplastic.types import Interface
from tasks.suites.loading import load_suite
from tests.benchmarks import bank_building, generated, gpu, rules, tracking
from tests.benchmarks.cluster import report as cluster_report
from tests.benchmarks.rivals import avx512, jax_program, neurogym_stepping
from tests.benchmarks.search import report

PAPER = Setting(engine="cpu", population=500, neurons=70, trials=400, threads=1)
TARGET = Path(__file__).parents[2] / "docs" / "performance.md"
LISTED = [name for name, rule in RULES.items() if rule.schedule != "every_step"]


class Line(NamedTuple):
    """One row of the report."""

    what: str
    seconds: tuple[float, ...]

    @property
    def typical(self) -> float:
        """Median seconds."""
        return median(self.seconds)


def main() -> None:
    """Measure, compare, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="measured generations (default 5)")
    parser.add_argument(
        "--reference-trials", type=int, default=20, help="trials the reference lives (default 20)"
    )
    parser.add_argument(
        "--population", type=int, default=PAPER.population, help="lives (default 500)"
    )
    parser.add_argument("--trials", type=int, default=PAPER.trials, help="trials (default 400)")
    parser.add_argument("--out", type=Path, default=TARGET, help="file to write")
    args = parser.parse_args()
    banks = stack_tables(load_suite("miconi2023").train_samples)
    paper = replace(PAPER, population=args.population, trials=args.trials)
    sections = [
        *_engines_and_rivals(paper, banks, args.repeats, args.reference_trials),
        *_rules_and_threads(paper, banks, args.repeats),
        *rules.report(banks, args.repeats),
        *_self_paced(paper, args.repeats),
        *_against_stepping(args.repeats),
        *bank_building.report(args.repeats),
        *generated.report(args.repeats),
        *_scaling(paper, banks, args.repeats),
        *_memory(),
        *gpu.report(),
        *_measured_apart(),
    ]
    text = "\n".join([*_heading(paper), *sections])
    args.out.write_text(text)
    print(text)


def _measured_apart() -> list[str]:
    """Sections that other targets and people write, as they are."""
    text, titles = (
        TARGET.read_text(),
        (
            report.TITLE,
            report.TRIED,
            cluster_report.TITLE,
            tracking.TITLE,
        ),
    )
    return [line for title in titles for line in report.kept(text, title)]


def _heading(paper: Setting) -> list[str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    rows = [*hardware(), *jax_program.version()]
    rows += [("commit", commit), ("date", datetime.date.today().isoformat())]
    return [
        "# Performance",
        "",
        "Written by `make bench`. Seconds are wall-clock medians over repeated generations, with",
        "the fastest and the slowest; ratios are taken within this one run. The work of the first",
        f"two tables is a generation: {paper.population} lives, {paper.trials} trials of 50 steps",
        f"each, {paper.neurons} neurons; published are 500 lives, 400 trials, 70 neurons.",
        "",
        "| machine | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        f'| command | `make bench ARGS="{" ".join(sys.argv[1:])}"` |',
        "",
    ]


def _seconds(repeats: int, live: Callable[[], object]) -> tuple[float, ...]:
    live()  # compiles
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        live()
        seconds.append(time.perf_counter() - begin)
    return tuple(seconds)


def _table(title: str, says: str, lines: list[Line], unit: Line) -> list[str]:
    rows = [
        f"| {line.what} | {line.typical:.3f} | {min(line.seconds):.3f} | {max(line.seconds):.3f} "
        f"| {line.typical / unit.typical:.2f} |"
        for line in lines
    ]
    head = ["| | median s | fastest | slowest | ratio |", "|---|--:|--:|--:|--:|"]
    return [f"## {title}", "", says, "", *head, *rows, ""]


def _engines_and_rivals(
    paper: Setting, banks: StackedTables, repeats: int, reference_trials: int
) -> list[str]:
    cores = usable_threads(0)
    setting = replace(paper, threads=cores)
    params, groups, batch = first_generation(setting, banks)
    unit = _line(f"CPU engine, {cores} threads", measure(setting, banks, repeats))
    lines = [unit]
    absent = []
    if reason := avx512.missing():
        absent.append(f"AVX-512 loop: {reason}")
    else:
        loop = _seconds(repeats, lambda: avx512.live(params, batch, setting.trials, cores))
        lines.append(Line(f"hand-written AVX-512 C++ loop, {cores} threads", loop))
    if reason := jax_program.missing():
        absent.append(f"JAX program: {reason}")
    else:
        program = _seconds(repeats, lambda: jax_program.live(params, batch, setting.trials))
        lines.append(Line("JAX program (vmap, scan, jit), all cores", program))
    short = replace(setting, engine="reference", trials=reference_trials)
    config = lifetime_config(short)

    def reference() -> object:
        return run_lifetimes(params, groups, batch, config, engine="reference")

    stretch = setting.trials / reference_trials
    lived = tuple(stretch * s for s in _seconds(min(repeats, 3), reference))
    lines.append(Line(f"reference engine ({reference_trials} trials, times {stretch:.0f})", lived))
    says = "Every rival computes the published lifetime; a test compares its losses with ours."
    if absent:
        says += f" Not measured: {'; '.join(absent)}."
    return _table("Engines and rivals", says, lines, unit)


def _line(what: str, measurement: Measurement) -> Line:
    return Line(what, measurement.seconds)


def _rules_and_threads(paper: Setting, banks: StackedTables, repeats: int) -> list[str]:
    cores = usable_threads(0)
    settings = [
        replace(paper, threads=threads, rule=rule) for rule in LISTED for threads in (1, cores)
    ]
    lines = [
        _line(f"{m.setting.rule}, {_threads(m.setting.threads)}", m)
        for m in measure_in_turn([(setting, banks) for setting in settings], repeats)
    ]
    ratios: list[str] = []
    for number, rule in enumerate(LISTED):
        alone, shared = lines[2 * number : 2 * number + 2]
        ratios.append(_ratio(f"{rule}, {cores} threads: times faster than 1", alone, shared))
        if number:
            share = f"times the cost of {LISTED[0]}"
            ratios.append(_ratio(f"{rule}, 1 thread: {share}", alone, lines[0]))
            ratios.append(_ratio(f"{rule}, {cores} threads: {share}", shared, lines[1]))
    return [
        *_table(
            "Rules and threads",
            f"The CPU engine, settings in turn; the ratio is to {paper.rule} on one thread.",
            lines,
            lines[0],
        ),
        "| round by round | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *ratios,
        "",
    ]


def _threads(number: int) -> str:
    return f"{number} thread{'s' * (number > 1)}"


def _ratio(what: str, above: Line, below: Line) -> str:
    ratios = [a / b for a, b in zip(above.seconds, below.seconds, strict=True)]
    return f"| {what} | {median(ratios):.2f} | {min(ratios):.2f} | {max(ratios):.2f} |"


def _self_paced(paper: Setting, repeats: int) -> list[str]:
    """Cost of a step of self-paced trials, beside fixed timing on the same network."""
    rows: list[str] = []
    ratios: list[str] = []
    for rule in LISTED:
        for neurons, inputs, outputs in ((70, 3, 3), (140, 33, 17)):
            base = replace(paper, population=64, neurons=neurons, rule=rule)
            lines = Interface(num_inputs=inputs, num_outputs=outputs)
            measured = measure_in_turn(
                [
                    (replace(base, trials_kind="fixed_timing"), fixed_trials(lines)),
                    (replace(base, trials_kind="self_paced"), self_paced_trials(lines)),
                ],
                repeats,
            )
            what = f"{rule}, {neurons} neurons, {inputs} inputs, {outputs} outputs"
            steps = [Line(what, tuple(1e9 * s / m.steps for s in m.seconds)) for m in measured]
            rows.extend(
                f"| {what}, {kind} | {line.typical:.0f} | {min(line.seconds):.0f} "
                f"| {max(line.seconds):.0f} |"
                for kind, line in zip(("fixed timing", "self-paced"), steps, strict=True)
            )
            ratios.append(_ratio(what, steps[1], steps[0]))
    return [
        "## Self-paced trials",
        "",
        "The CPU engine, one thread, lifetimes of both kinds of trials in turn. Self-paced trials",
        "show new noise on every input and take an action at every step.",
        "",
        "| ns per step | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *rows,
        "",
        "| self-paced: times the cost of fixed timing, by round | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *ratios,
        "",
    ]


def _against_stepping(repeats: int) -> list[str]:
    """A population that lives tasks of yang19, beside stepping its lifetimes in NeuroGym."""
    rows: list[str] = []
    ratios: list[str] = []
    cores = usable_threads(0)
    config = neurogym_stepping.CONFIG
    for dim_ring, neurons in ((2, 70), (16, 100), (16, 140)):
        lives = neurogym_stepping.population(256, config.num_trials, dim_ring, neurons)
        what = (
            f"{neurons} neurons, {lives.groups.num_inputs} inputs, {lives.groups.num_outputs} "
            "outputs"
        )
        stepped: list[float] = []
        fast: dict[int, list[float]] = {1: [], cores: []}
        people = range(0, 2 * min(repeats, len(neurogym_stepping.TASKS)), 2)  # one of each pair
        run_lifetimes(lives.params, lives.groups, lives.batch, config, engine="cpu")  # compiles
        for turn in range(repeats):
            who = people[turn % len(people)]
            begin = time.perf_counter()
            draw = neurogym_stepping.drawn(lives, config, turn)
            lived = neurogym_stepping.live(lives, who, config, draw)
            taken = time.perf_counter() - begin
            stepped.append(1e9 * taken / sum(len(actions) for actions in lived.action_KT))
            for threads, seconds in fast.items():
                begin = time.perf_counter()
                result = run_lifetimes(
                    lives.params, lives.groups, lives.batch, config, engine="cpu", threads=threads
                )
                taken = time.perf_counter() - begin
                seconds.append(1e9 * taken / int(result.steps_PK.sum()))
        rival = Line(f"{what}, stepped in NeuroGym", tuple(stepped))
        engines = [
            Line(f"{what}, CPU engine, {_threads(threads)}", tuple(seconds))
            for threads, seconds in fast.items()
        ]
        rows.extend(
            f"| {line.what} | {line.typical:.0f} | {min(line.seconds):.0f} "
            f"| {max(line.seconds):.0f} |"
            for line in [rival, *engines]
        )
        ratios.extend(_ratio(line.what, rival, line) for line in engines)
    return [
        "## Stepping in NeuroGym",
        "",
        "Tasks of yang19: a population on the CPU engine, and its lifetimes stepped in NeuroGym",
        "itself, one environment at a time, with the same network in plain NumPy beside it. A test",
        "finds the same lifetimes in both if the rival is given the perturbations of the engine;",
        "here it draws its own, one number for a neuron and step as the engine does.",
        "",
        "| ns per step | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *rows,
        "",
        "| times faster than stepping, round by round | median | lowest | highest |",
        "|---|--:|--:|--:|",
        *ratios,
        "",
    ]


def _scaling(paper: Setting, banks: StackedTables, repeats: int) -> list[str]:
    base = replace(paper, population=64, trials=50, threads=usable_threads(0))
    settings = [
        *(replace(base, population=population) for population in (64, 512, 4096, 8192)),
        *(replace(base, trials=trials) for trials in (100, 400)),
        *(replace(base, neurons=neurons) for neurons in (35, 140, 280, 512)),
    ]
    rows = []
    for setting in settings:
        measured = measure(setting, banks, repeats)
        rows.append(
            f"| {setting.population} | {setting.trials} | {setting.neurons} "
            f"| {measured.median_s:.3f} | {measured.lifetime_ms:.3f} "
            f"| {measured.step_ns:.0f} |"
        )
    return [
        "## Size",
        "",
        "The CPU engine, rule node_perturbation, all cores.",
        "",
        "| population | trials | neurons | median s | ms per life | ns per step |",
        "|--:|--:|--:|--:|--:|--:|",
        *rows,
        "",
    ]


def _memory() -> list[str]:
    command = [sys.executable, "-m", "tests.benchmarks.memory"]
    says = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout
    return ["## Memory", "", says.strip(), ""]


if __name__ == "__main__":
    main()
