"""A driver poses a problem for machines that have what its own has not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cluster.config.run import load_config
from cluster.executors import InProcessExecutor
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.loop import evolve
from evoplastic.checks import UsageError
from evoplastic.records.events import FaultEvent


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_driver_without_a_gpu_may_run_a_cluster_of_gpus() -> None:
    config = load_config("smoke", ["engine=gpu"])
    with pytest.raises(UsageError, match="engine 'gpu' cannot run here"):
        build_experiment(config)
    experiment = build_experiment(config, elsewhere=True)
    assert experiment.on("gpu").problem.engine == "gpu"


def test_what_workers_settle_is_the_engine_of_the_run_and_its_evaluations() -> None:
    experiment = build_experiment(load_config("smoke"), elsewhere=True)
    assert experiment.problem.engine == "auto", "nothing here says what runs there"
    settled = experiment.on("reference")
    assert settled.problem.engine == settled.evaluation_problem.engine == "reference"
    assert settled.problem_at(3).engine == "reference"
    assert settled.search is experiment.search


class Remarking(InProcessExecutor):
    """Has something to say after the first call."""

    said = False

    def remarks(self) -> list[tuple[str, str]]:
        """Said once."""
        before, self.said = self.said, True
        return [] if before else [("mixed_hardware", "workers simulate on different models")]


def test_what_workers_remark_is_written_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = ["engine=reference", "tracking.enabled=false", "evolution.generations=1"]
    settings += ["evaluation.train_lifetimes=0", "evaluation.held_out_lifetimes=1"]
    config = load_config("smoke", [*settings, "evaluation.controls=false", "search.popsize=4"])
    evolve(config, tmp_path / "run", executor=Remarking())
    events, _ = read_journal(tmp_path / "run" / "journal.ndjson")
    faults = [(event.kind, event.message) for event in events if isinstance(event, FaultEvent)]
    assert faults == [("mixed_hardware", "workers simulate on different models")]
    assert "different models" in caplog.text
