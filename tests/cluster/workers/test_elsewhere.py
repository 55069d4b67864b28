"""A driver poses a problem for machines that have what its own has not."""

from __future__ import annotations

import pytest
import torch

from cluster.config.run import load_config
from cluster.experiment import build_experiment
from evoplastic.checks import UsageError


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
