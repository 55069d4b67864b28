"""What MLflow costs a run: `python -m tests.benchmarks.tracking`, into docs/performance.md.

The same run with its store, with a store that gets no models, and with none, in turn, each in a
process of its own. Seconds of the clock depend on what else the machine does, so it is told beside
them how long processors worked, and how long the run's own thread stood still: it neither worked
nor queued for a processor, but waited for a lock or a disk. Linux tells that (schedstat).
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path
from statistics import median
from typing import Any, Literal, NamedTuple

from cluster.progress import SilentProgress, Tick
from evoplastic.machine import processor, usable_cores
from tests.benchmarks.search.report import put

TARGET = Path(__file__).parents[2] / "docs" / "performance.md"
TITLE = "## What MLflow costs a run"
Way = Literal["without MLflow", "MLflow without models", "MLflow with models"]
WAYS: tuple[Way, ...] = ("without MLflow", "MLflow without models", "MLflow with models")
SETTINGS = (
    "lifetime.num_trials=100",
    "lifetime.scored_trials=50",
    "search.popsize=100",
    "evolution.generations=20",
    "evaluation.every=2",
    "evaluation.held_out_lifetimes=16",
    "evaluation.train_lifetimes=4",
    "evaluation.controls=false",
    "threads=1",
)
ROWS = {
    "evolution_s": "seconds from the first generation's end to the last one's",
    "still_s": "among them those in which the run's own thread stood still",
    "run_s": "seconds of the whole run, the wait for the store at its end included",
    "process_cpu_s": "seconds of processors, the whole process",
    "tracker_cpu_s": "among them those of the thread that delivers",
    "models": "models delivered",
}


class Moment(NamedTuple):
    """What the clock says, and how long a thread has worked and queued for a processor."""

    clock_s: float
    worked_s: float
    queued_s: float


class Watch(SilentProgress):
    """Looks at the clock whenever a generation is done."""

    def __init__(self) -> None:
        self.ticks: list[Moment] = []

    def tick(self, tick: Tick) -> None:
        """Called by the thread of the run."""
        worked, queued, _ = Path("/proc/thread-self/schedstat").read_text().split()
        self.ticks.append(Moment(time.perf_counter(), int(worked) / 1e9, int(queued) / 1e9))


def one(way: Way, recipe: str, words: list[str], folder: Path) -> dict[str, float]:
    """Do one run in this process, and say what it took."""
    from cluster.config.run import load_config
    from cluster.loop import evolve
    from cluster.tracking.delivery import Delivery, read_cursors
    from cluster.tracking.tracker import Tracker

    watch = Watch()
    delivered = [0.0]
    work = Tracker._work

    def timed(self: Tracker) -> None:
        began = time.thread_time()
        work(self)
        delivered[0] = time.thread_time() - began

    patches: list[tuple[type, str, Any]] = [(Tracker, "_work", timed)]
    if way == "MLflow without models":
        patches.append((Delivery, "_deliver_model", lambda *_: None))
    for owner, name, instead in patches:
        setattr(owner, name, instead)
    store = f"tracking.uri=sqlite:///{folder / 'mlflow.db'}"
    enabled = f"tracking.enabled={str(way != 'without MLflow').lower()}"
    config = load_config(recipe, [*words, store, enabled])
    began, began_cpu = time.perf_counter(), time.process_time()
    evolve(config, folder / "run", progress=watch)
    run_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
    first, last = watch.ticks[0], watch.ticks[-1]
    evolution_s = last.clock_s - first.clock_s
    return {
        "evolution_s": evolution_s,
        "still_s": evolution_s
        - (last.worked_s - first.worked_s)
        - (last.queued_s - first.queued_s),
        "run_s": run_s,
        "process_cpu_s": cpu_s,
        "tracker_cpu_s": delivered[0],
        "models": sum(len(cursor.models) for cursor in read_cursors(folder / "run").values()),
    }


def measured(recipe: str, repeats: int, words: list[str]) -> dict[Way, list[dict[str, float]]]:
    """Every way so many times, in turn; the first runs fill caches and are not told."""
    found: dict[Way, list[dict[str, float]]] = {way: [] for way in WAYS}
    for turn in range(repeats + 1):
        first = turn % len(WAYS)  # nobody is always the one that comes after another
        for way in (*WAYS[first:], *WAYS[:first]) if turn else WAYS[-1:]:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "tests.benchmarks.tracking"]
                command += ["--one", way, "--folder", folder, "--recipe", recipe, *words]
                environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
                done = subprocess.run(
                    command, env=environment, check=True, stdout=subprocess.PIPE, text=True
                )
            if turn:
                found[way].append(json.loads(done.stdout.splitlines()[-1]))
                print(turn, way, found[way][-1], file=sys.stderr)
    return found


def section(recipe: str, repeats: int, words: list[str]) -> list[str]:
    """The whole section."""
    found = measured(recipe, repeats, words)
    says = f"""
        Written by `python -m tests.benchmarks.tracking {" ".join(sys.argv[1:])}`: `{recipe}` with
        `{" ".join(words)}`, delivered to an SQLite file, {repeats} times each way, in turn; median,
        lowest and highest. {processor().get("model name", "unknown processor")},
        {usable_cores()} cores that other work shared, {datetime.date.today().isoformat()}.
    """
    lines = [
        TITLE,
        "",
        *textwrap.wrap(" ".join(says.split()), 100, break_long_words=False, break_on_hyphens=False),
        "",
        f"| | {' | '.join(WAYS)} |",
        f"|---|{'--:|' * len(WAYS)}",
    ]
    for key, title in ROWS.items():
        cells = []
        for way in WAYS:
            values = [each[key] for each in found[way]]
            low, high = min(values), max(values)
            spread = f" ({low:.2f} to {high:.2f})" if low < high else ""
            form = "{:.0f}" if key == "models" else "{:.2f}"
            cells.append(form.format(median(values)) + spread)
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return [*lines, ""]


def main() -> None:
    """Measure, write."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.tracking", description=__doc__
    )
    parser.add_argument("--recipe", default="laptop", help="default: laptop, made short")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each way (default 5)")
    parser.add_argument("--out", type=Path, default=TARGET, help="file whose section is written")
    parser.add_argument("--one", choices=WAYS, help="one run, in --folder, as a line of JSON")
    parser.add_argument("--folder", type=Path, help="empty")
    parser.add_argument("words", nargs="*", help="key=value of the recipe")
    args = parser.parse_args()
    words = args.words or list(SETTINGS)
    if args.one:
        print(json.dumps(one(args.one, args.recipe, words, args.folder)))
        return
    lines = section(args.recipe, args.repeats, words)
    args.out.write_text(put(args.out.read_text() if args.out.exists() else "", lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
