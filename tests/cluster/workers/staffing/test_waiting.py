"""How long workers are waited for, what is said meanwhile, and on which engine they agree."""

from __future__ import annotations

import pytest

from cluster.workers.node_report import NodeReport
from cluster.workers.staffing.agreement import GRACE_S, Agreement
from cluster.workers.staffing.patience import Patience
from evoplastic.checks import Preempted
from evoplastic.engines.demand import Demand


class Clock:
    """Seconds that pass when they are told to."""

    now_s = 5.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


def test_waiting_is_said_each_half_minute_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    patience = Patience(95.0, clock)
    for _ in range(95):
        patience.strain(lambda: "asked for 2", lambda: False)
        clock.now_s += 1.0
    said = [record.message for record in caplog.records]
    assert said == [
        f"waiting for workers since {waited} s, at most 95 s: asked for 2"
        for waited in (30, 60, 90)
    ]
    clock.now_s += 0.5
    patience.strain(lambda: "", lambda: True)  # one has found room and comes up
    with pytest.raises(Preempted, match=r"no workers within 95 s: asked for 2; make room"):
        patience.strain(lambda: "asked for 2", lambda: False)


def test_a_wait_that_was_over_begins_anew() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    for _ in range(5):
        patience.strain(lambda: "", lambda: False)
        clock.now_s += 9.0
        patience.ease()


def agreement(engine: str, clock: Clock) -> Agreement:
    asked = Agreement(clock)
    assert asked.ask(engine, Demand())
    assert not asked.ask(engine, Demand())
    return asked


def test_an_engine_that_is_named_is_settled_before_anybody_answers() -> None:
    asked = agreement("reference", Clock())
    assert asked.settle([], gpus=False, coming=True)
    assert asked.engine == "reference"


@pytest.mark.parametrize(
    ("answers", "gpus", "engine"),
    [(["cpu"], False, "cpu"), (["gpu"], True, "gpu"), (["cpu", "gpu"], True, "gpu")],
)
def test_the_fastest_answer_that_can_come_settles_it_at_once(
    answers: list[str], gpus: bool, engine: str
) -> None:
    asked = agreement("auto", Clock())
    assert not asked.settle([], gpus, coming=True)
    assert asked.settle(answers, gpus, coming=True)
    assert asked.engine == engine
    assert asked.question is not None
    assert asked.question.engine == engine, "whoever comes later is asked for this one"
    assert not asked.ask("auto", Demand()), "the same question is not asked again"


def test_a_slower_answer_waits_a_moment_for_others() -> None:
    clock = Clock()
    asked = agreement("auto", clock)
    assert not asked.settle(["cpu"], gpus=True, coming=True)
    clock.now_s += GRACE_S
    assert asked.settle(["cpu"], gpus=True, coming=True)
    assert asked.engine == "cpu"
    assert agreement("auto", clock).settle(["reference"], gpus=False, coming=False)


def test_models_that_differ_are_said_once_each() -> None:
    asked = agreement("gpu", Clock())

    def remark(gpu: str) -> str | None:
        return asked.remark_on(NodeReport(1, "a", "Some CPU", gpu, "gpu"))

    assert [remark("A100"), remark("A100")] == [None, None]
    said = remark("H100")
    assert said is not None
    assert "(A100, H100)" in said
    assert remark("H100") is None
    assert remark("L4") is not None
