"""A storm: a random worker is killed every five seconds, and the run ends where it would have."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cluster.config.run import load_config
from cluster.loop import evolve
from cluster.workers.ray_executor import RayExecutor
from evoplastic.checks import EnvironmentFault

pytestmark = pytest.mark.cluster

EVERY_S = 5.0
WORDS = [
    "engine=cpu",
    "tracking.enabled=false",
    "num_neurons=70",
    "lifetime.num_trials=200",
    "search.popsize=120",
    "evolution.generations=100",
    "evaluation.every=100",
    "evaluation.controls=false",
    "evaluation.train_lifetimes=0",
    "evaluation.held_out_lifetimes=2",
]


def test_a_storm_leaves_no_trace(tmp_path: Path) -> None:
    """Digest equal; the wall time is printed beside 1.5 times the undisturbed and the restarts."""
    config = load_config("smoke", WORDS)
    executor = RayExecutor(2)
    try:
        first = [*WORDS, "evolution.generations=4"]  # workers start, and compile
        evolve(load_config("smoke", first), tmp_path / "first", executor=executor)
        began = time.monotonic()
        calm = evolve(config, tmp_path / "calm", executor=executor)
        calm_s = time.monotonic() - began
        over, killed = threading.Event(), []

        def storm() -> None:
            draws = random.Random(0)
            while not over.wait(EVERY_S):
                with suppress(Exception):  # whom to kill may be starting
                    pid = draws.choice(executor.worker_pids(timeout_s=EVERY_S))
                    os.kill(pid, signal.SIGKILL)
                    killed.append(time.monotonic())

        thread = threading.Thread(target=storm)
        thread.start()
        began = time.monotonic()
        try:
            stormy = evolve(config, tmp_path / "storm", executor=executor)
        finally:
            over.set()
            thread.join()
        stormy_s = time.monotonic() - began
    finally:
        with suppress(EnvironmentFault):
            executor.close()
    print(
        f"calm {calm_s:.0f} s, storm {stormy_s:.0f} s with {len(killed)} kills: "
        f"{stormy_s / calm_s:.2f} times, of which 1.5 and the restarts are allowed"
    )
    assert stormy.center_digest == calm.center_digest
    assert killed
