"""A driver in a process of its own, for tests that kill it: `driver.py evolve|resume RUN_DIR`."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster.config.run import RunConfig, load_config
from cluster.loop import evolve, resume
from cluster.progress import make_progress

OVERRIDES = [
    "engine=reference",
    "tracking.enabled=false",
    "evolution.generations=12",
    "evaluation.every=4",
    "evaluation.controls=false",
    "evaluation.train_lifetimes=0",
    "evaluation.held_out_lifetimes=2",
]


def config() -> RunConfig:
    """A run of a few seconds that checkpoints several times a second."""
    return load_config("smoke", OVERRIDES)


if __name__ == "__main__":
    verb, run_dir = sys.argv[1], Path(sys.argv[2])
    progress = make_progress(as_json=True)
    if verb == "evolve":
        outcome = evolve(config(), run_dir, progress=progress)
    else:
        outcome = resume(run_dir, progress=progress)
    sys.exit(outcome.exit_code)
