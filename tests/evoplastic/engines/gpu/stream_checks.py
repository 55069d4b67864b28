"""Checks of streams of tasks on the GPU engine; `test_engine.py` runs them apart.

Every kernel is compiled once more for courses: from where trials are drawn, and probes that leave
nothing behind but activity.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from evoplastic.engines.reference.engine import run_reference
from evoplastic.engines.self_check import fault_of_gpu, shortened
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.trials.timing import TrialTiming
from tests.evoplastic.engines.cases import make_config, make_params, with_evolved
from tests.evoplastic.engines.gpu.parity import assert_as_the_reference
from tests.evoplastic.engines.gpu.process import (  # the fixtures serve every check below
    DEVICE,
    each_of,
    largest_difference,
    patch_once,  # noqa: F401
    uninitialised_memory_is_nan,  # noqa: F401
)
from tests.evoplastic.engines.kernels import KERNELS, SMALL, demand
from tests.evoplastic.engines.stream_cases import stream_batch
from tests.evoplastic.rules.toys import TOYS

SHORT = TrialTiming(dt_ms=20.0, num_steps=6, response=(1, 3), feedback=(3, 5))
CALM = {"max_change": 0.01, "max_p": 0.05}  # no two choices in balance
AT_OUTCOME = {"name": "node_perturbation", "eta": 20.0, "max_change": 0.5}
LAZY = {"name": "node_perturbation_network", "eta": 0.2}
BY_NETWORK = {**CALM, "name": "backpropamine_retroactive"}
CENTRED = {**CALM, "name": "toy fluctuations of both ends"}
BOTH_ENDS = {**CALM, "name": "toy trace of both ends times the weight"}  # noise of sources too


class Case(NamedTuple):
    """Two streams, one of parts of a table and one of blocks, and a task without a course."""

    rule: dict[str, Any]
    self_paced: bool = False
    streamed: bool = False
    feedback: str = "graded_prediction_error"
    num_individuals: int = 3


CHEAP = {"outcome": Case(AT_OUTCOME, num_individuals=1)}
ALL = {
    "outcome, all": Case(AT_OUTCOME),
    "outcome, streamed": Case(AT_OUTCOME, streamed=True),
    "outcome, self-paced": Case(AT_OUTCOME, self_paced=True),
    "outcome, self-paced, reward": Case(
        AT_OUTCOME, self_paced=True, feedback="reward_prediction_error"
    ),
    "outcome, self-paced, streamed": Case(AT_OUTCOME, self_paced=True, streamed=True),
    "network": Case(LAZY),
    "network, gated": Case({**LAZY, "gate": "feedback"}),
    "network, streamed": Case(LAZY, streamed=True),
    "network, self-paced": Case(LAZY, self_paced=True),
    "network, self-paced, streamed": Case(LAZY, self_paced=True, streamed=True, feedback="reward"),
    "every step": Case(BY_NETWORK),
    "every step, streamed": Case(BY_NETWORK, streamed=True),
    "every step, self-paced": Case(BY_NETWORK, self_paced=True, feedback="reward"),
    "every step, self-paced, streamed": Case(BY_NETWORK, self_paced=True, streamed=True),
    "every step, centred": Case(CENTRED),
    "every step, centred, self-paced, streamed": Case(CENTRED, self_paced=True, streamed=True),
    "every step, noise of both ends, self-paced": Case(BOTH_ENDS, self_paced=True),
    "every step, noise of both ends, streamed": Case(BOTH_ENDS, streamed=True),
}


@pytest.fixture(autouse=True)
def toys_are_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rule in TOYS.items():
        monkeypatch.setitem(RULES, f"toy {name}", rule)


def prepare(case: Case) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch, LifetimeConfig]:
    groups = NeuronGroups(num_neurons=14)
    config = make_config(
        rule={"first_trial": 0, **case.rule},
        perturbation={"quiet_trials": 1, "probability": 0.3},
        feedback=case.feedback,
    )
    batch = stream_batch(
        groups, case.num_individuals, self_paced=case.self_paced, timing=SHORT, longest=4
    )
    params = make_params(groups, case.num_individuals, gain=0.9)
    return with_evolved(params, groups, config.rule), groups, batch, config


def without_probes(batch: LifetimeBatch) -> LifetimeBatch:
    """The same trials, all of which teach."""
    courses = (
        None if course is None else replace(course, probe_K=np.zeros_like(course.probe_K))
        for course in batch.tables.course_B
    )
    return batch._replace(tasks=batch.tables._replace(course_B=tuple(courses)))


@pytest.mark.parametrize("case", each_of(CHEAP, ALL))
def test_streams_equal_the_reference_to_float32_rounding(case: Case) -> None:
    params, groups, batch, config = prepare(case)
    exact, plain = assert_as_the_reference(params, groups, batch, config, streamed=case.streamed)
    assert exact.state.p_PNN.abs().max() > 1e-3, "plasticity goes untested"
    taught = run_reference(params, groups, without_probes(batch), config).result
    moved = largest_difference(taught.loss_PK, plain.loss_PK)
    assert moved > 1e-3, f"probes move the loss by {moved:.1e}: to teach at them would pass"


@pytest.mark.exhaustive
@pytest.mark.parametrize("kernel", [k for k in KERNELS if k[1] == SMALL], ids=str)
def test_each_kernel_passes_the_check_that_lets_it_be_chosen(kernel: Any) -> None:
    assert fault_of_gpu(shortened(demand(*kernel)._replace(streams=True)), DEVICE) is None
