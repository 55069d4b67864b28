"""A process that has to leave says whether the run can go on by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from ray.exceptions import RaySystemError
from torch import Tensor

from cluster.executors import InProcessExecutor, Result, Shard, run_shard
from cluster.journal import read_journal
from cluster.loop import evolve, resume
from evoplastic.__main__ import main
from evoplastic.checks import EnvironmentFault, Preempted
from evoplastic.cli import exits
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.records.events import EndEvent, FaultEvent
from tests.cluster.test_loop import small


@pytest.mark.parametrize(
    ("raised", "error", "status"),
    [
        (Preempted, Preempted, "preempted"),
        (RaySystemError, Preempted, "preempted"),  # Ray's word for a cluster that is gone
        (EnvironmentFault, EnvironmentFault, "failed"),
    ],
)
def test_a_run_without_room_is_preempted_not_failed(
    raised: type[Exception], error: type[Exception], status: str, tmp_path: Path
) -> None:
    def simulate(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
        if shard.generation == 1:
            raise raised("the cluster is full")
        return run_shard(problem, center_G, shard)

    config = small("evolution.generations=2")
    with pytest.raises(error, match="is full"):
        evolve(config, tmp_path / "run", executor=InProcessExecutor(simulate))
    assert (tmp_path / "run" / "STATUS").read_text().strip() == status
    fault, last = read_journal(tmp_path / "run" / "journal.ndjson")[0][-2:]
    assert isinstance(fault, FaultEvent)
    assert isinstance(last, EndEvent)
    assert (fault.kind, last.status) == (error.__name__, status)
    assert resume(tmp_path / "run").status == "done"


def test_the_command_line_leaves_with_75(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(args: object) -> int:
        raise Preempted("no worker came within 30 s")

    monkeypatch.setattr("evoplastic.cli.evolve.run_resume", full)
    assert main(["resume", "anywhere"]) == exits.PREEMPTED
    assert "no worker came within 30 s" in capsys.readouterr().err
