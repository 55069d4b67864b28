"""`make bench-search`: lifetimes and seconds until unseen tasks are acquired, by setting.

Every run is an ordinary run in a folder of its own, so that what was broken off goes on where it
was; a finished one is a line of results.jsonl beside them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from cluster.loop import evolve, resume
from cluster.progress import SilentProgress, Tick
from evoplastic.checks import UsageError
from evoplastic.storage import write_atomically
from tests.benchmarks.search.acquisition import Run, read_run
from tests.benchmarks.search.report import section, table, write
from tests.benchmarks.search.settings import LIFETIMES, SETTINGS, Setting

TARGET = Path(__file__).parents[3] / "docs" / "performance.md"


class Watched(SilentProgress):
    """A line for each measurement, with the time that the run has left."""

    def __init__(self, what: str) -> None:
        self._what, self._left = what, "-"

    def tick(self, tick: Tick) -> None:
        """See `Progress.tick`."""
        self._left = f"{tick.seconds_left:.0f} s left"

    def event(self, kind: str, **values: object) -> None:
        """See `Progress.event`."""
        words = (
            f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}"
            for key, value in values.items()
        )
        print(f"{self._what}: {kind} {'  '.join(words)}  {self._left}", flush=True)


def main() -> None:
    """Run what is missing, tabulate, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.search", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument(
        "--setting",
        type=Setting.parse,
        action="append",
        metavar="'NAME: RECIPE ...'",
        help="instead of those of the project; may be given several times",
    )
    parser.add_argument("--lifetimes", type=int, default=LIFETIMES, help="of each run")
    parser.add_argument(
        "--work", type=Path, default=Path("runs/bench-search"), help="folder of the runs"
    )
    parser.add_argument("--out", type=Path, default=TARGET, help="file whose section is written")
    try:
        args = parser.parse_args()
        settings = args.setting or SETTINGS
        runs = measure(settings, args.seeds, args.lifetimes, args.work)
    except UsageError as error:
        sys.exit(f"error: {error}")
    write(args.out, section(settings, runs))
    print("\n".join(table(settings, runs)))


def measure(
    settings: tuple[Setting, ...] | list[Setting], seeds: list[int], lifetimes: int, work: Path
) -> list[Run]:
    """The runs of all settings and seeds, seed by seed; what is on disk is not done again.

    Raises:
        SystemExit: somebody stopped a run, which goes on the next time.
    """
    work.mkdir(parents=True, exist_ok=True)
    results = work / "results.jsonl"
    done = _read(results)
    wanted = [(setting, setting.config(seed, lifetimes)) for seed in seeds for setting in settings]
    runs = []
    for number, (setting, config) in enumerate(wanted, start=1):
        run = done.get((setting.name, config.digest))
        if run is None:
            run_dir = work / f"{setting.name}-seed{config.seed}-{config.digest}"
            progress = Watched(f"run {number} of {len(wanted)}, {setting.name}, seed {config.seed}")
            if (run_dir / "journal.ndjson").is_file():
                outcome = resume(run_dir, progress=progress)
            else:
                shutil.rmtree(run_dir, ignore_errors=True)  # killed before its first line
                outcome = evolve(config, run_dir, progress=progress)
            if outcome.status != "done":
                sys.exit(outcome.exit_code)
            run = read_run(setting.name, config, run_dir)
            done[setting.name, config.digest] = run
            lines = (json.dumps(each.to_json()) + "\n" for each in done.values())
            write_atomically(results, "".join(lines).encode())
        runs.append(run)
    return runs


def _read(results: Path) -> dict[tuple[str, str], Run]:
    """Runs that are finished, by setting and configuration."""
    lines = results.read_text().splitlines() if results.is_file() else []
    runs = [Run.from_json(json.loads(line)) for line in lines]
    return {(run.setting, run.digest): run for run in runs}


if __name__ == "__main__":
    main()
