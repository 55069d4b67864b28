"""`make test-storm`: runs killed hundreds of times, beside a dying server and a full disk.

At the end, the digest, the journal and every MLflow point equal those of the undisturbed run.
Prints the figures for docs/reliability.md; exits with 1 if anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from cluster.checkpoint import load_checkpoint
from cluster.config.run import RunConfig, load_config
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from cluster.rundir import RunDirectory
from cluster.tracking.mlflow_store import MlflowStore
from cluster.tracking.sync import sync
from evoplastic.checks import UsageError
from evoplastic.records.events import metric_events
from tests import faults
from tests.cluster import written_runs as runs
from tests.storm.weather import Disk, Server, bad_weather, kill_a_worker, seconds_since

WORDS = (
    "name=storm",
    "engine=reference",
    "num_neurons=16",
    "lifetime.num_trials=6",
    "lifetime.scored_trials=3",
    "search.popsize=6",
    "evaluation.every=10",
    "evaluation.held_out_lifetimes=2",
    "evaluation.train_lifetimes=0",
    "evaluation.controls=false",
    "pairs_per_shard=1",
)
LONGEST_LIFE_S = 2.5  # of a driver in the storm
MOST_CALLS = 150  # of a driver for files, before it is killed at one

Facts = tuple[str, dict[str, bytes], dict[tuple[str, int], float]]


def begin_or_go_on(config: RunConfig, run_dir: Path, workers: int) -> int:
    """What a scheduler does after every death: resume, or evolve where nothing was lived."""
    try:
        RunDirectory.open(run_dir).close()
    except UsageError:
        return evolve(config, run_dir, workers=workers).exit_code
    return resume(run_dir, workers=workers).exit_code


def facts(run_dir: Path, outcome: RunOutcome) -> Facts:
    """Digest, search state, and every recorded value but for times and retries."""
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    points = {
        (name, generation): value
        for _, generation, metrics in metric_events(read_journal(run_dir / "journal.ndjson")[0])
        for name, value in metrics.items()
        if not name.startswith("time/") and name != "fault/retried_shards"
    }
    state = {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
    return outcome.center_digest, state, points


def delivered(uri: str, run_id: str) -> tuple[str, Counter[tuple[str, int, float]]]:
    """State and points of the one MLflow run of an id."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiments = [each.experiment_id for each in client.search_experiments()]
    found = client.search_runs(experiments, f"tags.`{runs.TAG_RUN_ID}` = '{run_id}'")
    assert len(found) == 1, f"{len(found)} MLflow runs carry one id"
    return found[0].info.status, Counter(
        (metric.key, metric.step, metric.value)
        for name in found[0].data.metrics
        for metric in client.get_metric_history(found[0].info.run_id, name)
    )


def is_whole(run_dir: Path, expected: Facts, folder: Path, seen: Counter[str]) -> bool:
    """Bring what is owed; whether run, journal and store are those of the undisturbed run."""
    outcome = resume(run_dir)
    sync(run_dir)
    state, points = delivered(f"sqlite:///{folder / 'mlflow.db'}", outcome.run_id)
    owed = Counter(runs.stored(run_dir))
    seen["points owed"] += sum(owed.values())
    seen["points in MLflow"] += sum(points.values())
    return (state, points) == ("FINISHED", owed) and facts(run_dir, outcome) == expected


def storm(config: RunConfig, run_dir: Path, seen: Counter[str], dice: random.Random) -> None:
    """Kill drivers until the run is done, and count what happened."""
    while True:
        work = partial(begin_or_go_on, config, run_dir, 0)
        # A full disk stops many drivers before their call comes: the kind that is behind is next.
        at_call = 2 * seen["of these at a file call"] <= seen["drivers killed"]
        if at_call:
            number = dice.randint(1, MOST_CALLS)
            ended = faults.killed_at_file_call(number, str(run_dir), work)
        else:
            ended = faults.killed_after(dice.uniform(0.0, LONGEST_LIFE_S), work)
        if ended == 0:
            return
        if ended == -signal.SIGKILL:
            seen["drivers killed"] += 1
            seen["of these at a file call"] += at_call
        else:
            seen["drivers stopped by a full disk"] += 1


def worker_storm(config: RunConfig, run_dir: Path, kills: int, dice: random.Random) -> int:
    """Kill Ray workers of one driver while it runs; how many died."""
    child = faults.forked(partial(begin_or_go_on, config, run_dir, 2))
    killed = 0
    while killed < kills:
        time.sleep(dice.uniform(0.2, 1.0))
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return killed
        killed += kill_a_worker(child, dice)
    os.kill(child, signal.SIGTERM)
    faults.wait(child)
    return killed


def main() -> int:
    """Undisturbed run, storm, comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="of drivers and workers together")
    parser.add_argument("--generations", type=int, default=60, help="of each run")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args()
    dice, began = random.Random(args.seed), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="evoplastic-storm-"))
    server, disk = Server(folder), Disk(folder / "disk")
    MlflowStore(f"sqlite:///{folder / 'mlflow.db'}", "evoplastic")  # imports MLflow, for all forks
    words = [*WORDS, f"evolution.generations={args.generations}"]
    quiet = load_config("smoke", [*words, "tracking.enabled=false"])
    expected = facts(folder / "quiet", evolve(quiet, folder / "quiet"))
    config = load_config("smoke", [*words, f"tracking.uri={server.uri}"])
    seen: Counter[str] = Counter()
    run_dirs: list[Path] = []
    with bad_weather(server, disk, dice):
        while seen["drivers killed"] + seen["workers killed"] < args.kills:
            run_dirs.append(disk.place / f"run{len(run_dirs)}")
            if seen["workers killed"] < args.kills // 5:
                left = args.kills // 5 - seen["workers killed"]
                seen["workers killed"] += worker_storm(config, run_dirs[-1], left, dice)
            storm(config, run_dirs[-1], seen, dice)
    different = [run_dir for run_dir in run_dirs if not is_whole(run_dir, expected, folder, seen)]
    server.kill()
    disk.close()
    print(
        f"seed {args.seed}, {seconds_since(began)}: {len(run_dirs)} runs of {args.generations} "
        f"generations, {dict(seen)}, server died {server.deaths} times, disk filled {disk.fills} "
        f"times; runs that differ from the undisturbed one: {[str(each) for each in different]}"
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
