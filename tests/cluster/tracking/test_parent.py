"""The runs of a sweep lie under one run of the store, by names of what differs."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from cluster.rundir import RunDirectory
from cluster.sweep.finish import deliver
from cluster.sweep.plan import Plan, make_plan
from cluster.sweep.record import keep_record, read_record
from cluster.tracking.parent import PARENTS_NAME
from cluster.tracking.sync import sync
from evoplastic.records.events import StartEvent
from evoplastic.records.names import TAG_SWEEP
from tests.cluster import written_runs as runs

PARENT = "mlflow.parentRunId"


@pytest.fixture
def store(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    uri = runs.copy_of(empty_database, tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


def write_sweep(root: Path, seeds: int) -> Plan:
    """A sweep whose runs are done, and told to no store."""
    plan = make_plan("smoke", [f"seed=1..{seeds}", "tracking.experiment=study"])
    keep_record(root, plan, may_go_on=True)
    for run in plan.runs:
        if (root / run.name).exists():
            continue
        run_id = f"smoke-{run.name}"
        yaml = run.config.to_yaml()
        with closing(RunDirectory.create(root / run.name, run_id, yaml, "cpu")) as directory:
            started = StartEvent(**{**runs.start().__dict__, "run_id": run_id})
            events = (started, runs.generation(0), runs.evaluation(1), runs.end(1, "done"))
            runs.append(root / run.name, *events)
            directory.set_status("done")
    return plan


def recorded(uri: str) -> tuple[list[str], dict[str, str | None]]:
    """Ids of the sweeps' runs, and the parent of every other run by its name."""
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("study")
    found = client.search_runs([experiment.experiment_id])
    parents = [run.info.run_id for run in found if TAG_SWEEP in run.data.tags]
    children = [run for run in found if TAG_SWEEP not in run.data.tags]
    assert len({run.info.run_name for run in children}) == len(children)
    return parents, {run.info.run_name: run.data.tags.get(PARENT) for run in children}


def test_runs_lie_under_one_parent_and_stay_there(store: str, tmp_path: Path) -> None:
    root = tmp_path / "sweep"
    plan = write_sweep(root, 2)
    table = tmp_path / "table.csv"
    table.write_text("a,b\n")
    record = read_record(root)
    assert record is not None
    assert deliver(root, record, plan.runs, [table], others_at_work=False) == []
    parents, children = recorded(store)
    assert len(parents) == 1
    assert children == {"seed1": parents[0], "seed2": parents[0]}
    client = MlflowClient(tracking_uri=store)
    parent = client.get_run(parents[0])
    assert parent.info.status == "FINISHED"
    assert parent.info.run_name == "smoke over seed"
    assert "- `seed`: 1, 2" in parent.data.tags["mlflow.note.content"]
    assert {file.path for file in client.list_artifacts(parents[0])} == {"table.csv"}
    # Values are added, and the file with the id is lost: the store knows.
    (root / PARENTS_NAME).unlink()
    more = write_sweep(root, 3)
    record = read_record(root)
    assert record is not None
    assert deliver(root, record, more.runs, [], others_at_work=False) == []
    assert recorded(store) == (parents, {f"seed{n}": parents[0] for n in (1, 2, 3)})
    assert sync(root / "seed3").points == 0


def test_a_sweep_that_is_not_over_says_so(store: str, tmp_path: Path) -> None:
    root = tmp_path / "sweep"
    plan = write_sweep(root, 2)
    record = read_record(root)
    assert record is not None
    for others_at_work, status, expected in (
        (True, "running", "RUNNING"),
        (False, "preempted", "KILLED"),
        (False, "failed", "FAILED"),
    ):
        (root / "seed2" / "STATUS").write_text(status)
        deliver(root, record, plan.runs[:1], [], others_at_work=others_at_work)
        (parent,), _ = recorded(store)
        assert MlflowClient(tracking_uri=store).get_run(parent).info.status == expected


def test_many_that_deliver_at_once_make_one_parent(store: str, tmp_path: Path) -> None:
    root = tmp_path / "sweep"
    plan = write_sweep(root, 4)
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            sync(root / name)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(run.name,)) for run in plan.runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults
    parents, children = recorded(store)
    assert len(parents) == 1
    assert children == dict.fromkeys((f"seed{n}" for n in (1, 2, 3, 4)), parents[0])


def test_a_store_that_does_not_answer_is_named_run_by_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write_sweep(tmp_path, 2)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{runs.free_port()}")
    record = read_record(tmp_path)
    assert record is not None
    faults = deliver(tmp_path, record, plan.runs[:1], [], others_at_work=False)
    assert len(faults) == 1
    assert faults[0].startswith("seed1: the tracking store http://127.0.0.1:")
