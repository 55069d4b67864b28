from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from cluster.rundir import RunDirectory
from cluster.tracking.delivery import Delivery
from cluster.tracking.sync import sync
from evoplastic.__main__ import main
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.records.events import GenerationEvent, ResumeEvent
from evoplastic.records.names import kept_name
from tests.cluster import written_runs as runs


@pytest.fixture
def store(empty_database: Path, tmp_path: Path) -> str:
    return runs.copy_of(empty_database, tmp_path)


def test_a_whole_run_arrives_and_arrives_once(store: str, tmp_path: Path) -> None:
    generations = [runs.generation(number) for number in range(120)]  # more than one batch
    run_dir = runs.write(
        tmp_path / "run", runs.evaluation(0), *generations, runs.evaluation(120),
        runs.end(120, "done"),
    )  # fmt: skip
    first = sync(run_dir, store)
    run, points = runs.recorded(store)
    assert set(points.values()) == {1}
    assert sum(points.values()) == runs.expected_points(120, (0, 120)) == first.points
    assert run.data.metrics["fitness/metric_3"] == pytest.approx(119.03)
    assert run.data.metrics["held_out/dms/accuracy_mean"] == pytest.approx(0.75)
    assert run.info.status == "FINISHED"
    assert run.info.end_time == runs.end(120, "done").time_ms
    assert run.info.start_time == runs.FIRST_MS
    assert run.data.params["search.popsize"] == "8"
    tags = run.data.tags
    assert tags["evoplastic.config_digest"] == "c0ffee"
    assert tags["evoplastic.suite_digest"] == "5017e"
    assert tags["evoplastic.git_commit"] == "ab" * 20
    assert tags["evoplastic.git_dirty"] == "true"
    assert tags["evoplastic.engine"] == "cpu"
    assert (tags["genome.sha"], tags["genome.parent_sha"]) == ("genome120", "genome0")
    assert {"config.resolved.yaml", "journal.ndjson", "genomes/center.safetensors"} < (
        runs.artifacts(store, first.mlflow_run_id)
    )
    again = sync(run_dir, store)
    assert (again.events, again.points, again.files) == (0, 0, ())
    assert runs.recorded(store)[1] == points


def test_a_metric_that_mlflow_refuses_holds_nothing_back(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = GenerationEvent(
        time_ms=runs.FIRST_MS + 1, generation=1, metrics={"task/what?": 0.5, "fitness/x": 0.25}
    )
    run_dir = runs.write(tmp_path / "run", runs.generation(0), strange, runs.generation(2))
    sync(run_dir, store)
    run, points = runs.recorded(store)
    assert sum(points.values()) == runs.expected_points(2) + 1
    assert run.data.metrics["fitness/x"] == 0.25
    assert [record.getMessage()[:32] for record in caplog.records] == [
        "MLflow refuses 'task/what?', the"
    ]
    assert sync(run_dir, store).events == 0


def test_scores_of_tasks_reach_mlflow_whatever_they_are_called(
    store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("lights[v=2]", "lights@2", "a|b", "what?", "../up", "lights_x5b_", "n" * 300)
    measured = dataclasses.replace(
        runs.evaluation(0),
        entries=tuple(
            dataclasses.replace(runs.evaluation(0).entries[0], task=name) for name in names
        ),
    )
    run_dir = runs.write(tmp_path / "run", runs.generation(0), measured)
    sync(run_dir, store)
    metrics = runs.recorded(store)[0].data.metrics
    assert caplog.records == []
    told = {name for name in metrics if name.startswith("held_out/")}
    assert told > {name for name in measured.metrics() if name.endswith("accuracy_mean")}
    assert len(told) == len(names) * 6
    assert metrics["held_out/lights_x5b_v_x3d_2_x5d_/accuracy_mean"] == pytest.approx(
        measured.entries[0].metrics()["held_out/lights_x5b_v_x3d_2_x5d_/accuracy_mean"]
    )


def test_kept_centers_are_delivered_when_the_run_is_over(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0), runs.evaluation(1))
    kept = run_dir / "genomes" / kept_name(1)
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(b"some genome")
    assert "genomes/" + kept.name not in sync(run_dir, store).files
    runs.append(run_dir, runs.end(1, "done"))
    assert "genomes/" + kept.name in sync(run_dir, store).files


def test_a_run_leaves_an_experiment_that_was_deleted(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that the refusal prints is the way out, and is remembered."""
    run_dir = runs.write(tmp_path / "der Lauf", runs.generation(0))
    first = sync(run_dir, store)
    client = MlflowClient(tracking_uri=store)
    client.delete_experiment(client.get_experiment_by_name(first.experiment).experiment_id)
    runs.append(run_dir, runs.generation(1))
    with pytest.raises(EnvironmentFault, match="deleted") as refused:
        sync(run_dir, store)
    words = shlex.split(str(refused.value).split("`")[1])
    assert main(words[1:]) == 0, capsys.readouterr().err
    moved = client.get_experiment_by_name(f"{first.experiment}-2").experiment_id
    (run,) = client.search_runs([moved])
    assert len(client.get_metric_history(run.info.run_id, "fitness/metric_0")) == 2
    runs.append(run_dir, runs.generation(2))
    again = sync(run_dir, store)
    assert (again.experiment, again.events) == (f"{first.experiment}-2", 1)


def test_another_experiment_gets_all_of_a_run(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    first = sync(run_dir, store)
    other = sync(run_dir, store, "elsewhere")
    assert (other.experiment, other.points) == ("elsewhere", first.points)
    assert other.mlflow_run_id != first.mlflow_run_id
    with pytest.raises(UsageError, match="no name"):
        sync(run_dir, store, " ")


def test_points_delivered_again_are_held_once(store: str, tmp_path: Path) -> None:
    """As after a kill between the store's answer and the cursor's move; NaN and inf included."""
    strange = GenerationEvent(
        time_ms=runs.FIRST_MS + 1,
        generation=1,
        metrics={"fitness/nan": float("nan"), "fitness/inf": float("inf"), "fitness/x": 0.1},
    )
    run_dir = runs.write(tmp_path / "run", runs.generation(0), strange)
    sync(run_dir, store)
    before = runs.recorded(store)[1]
    (run_dir / "tracking.json").unlink()
    report = sync(run_dir, store)
    assert report.points == runs.GENERATION_METRICS + 3
    after = runs.recorded(store)[1]
    assert after == before
    assert set(after.values()) == {1}


def test_a_resumed_run_goes_on_in_its_mlflow_run(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0), runs.end(1, "preempted"))
    sync(run_dir, store)
    assert runs.recorded(store)[0].info.status == "KILLED"
    config = run_dir / "config.resolved.yaml"
    config.write_text(
        config.read_text().replace("popsize: 8", "popsize: 10\nevolution:\n  generations: 2")
    )
    runs.append(run_dir, ResumeEvent(time_ms=runs.FIRST_MS + 5000, generation=1))
    runs.append(run_dir, runs.generation(1), runs.end(2, "done"))
    report = sync(run_dir, store)
    run, points = runs.recorded(store)
    assert report.points == runs.GENERATION_METRICS
    assert sum(points.values()) == runs.expected_points(2)
    assert run.info.status == "FINISHED"
    assert run.data.tags["evoplastic.resumes"] == "1"
    assert run.data.params["search.popsize"] == "8", "a parameter was changed"
    assert run.data.params["evolution.generations"] == "2"


def test_a_run_whose_driver_was_killed_is_closed(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    sync(run_dir, store)
    assert runs.recorded(store)[0].info.status == "KILLED"


def test_a_store_that_lost_the_run_gets_everything_again(
    store: str, empty_database: Path, tmp_path: Path
) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0), runs.end(1, "done"))
    sync(run_dir, store)
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = runs.copy_of(empty_database, other)
    assert sync(run_dir, elsewhere).points == runs.GENERATION_METRICS, "another store, from 0"
    assert sync(run_dir, store).points == 0, "the first store has everything still"
    # The same address, a fresh database behind it.
    cursors = json.loads((run_dir / "tracking.json").read_text())
    third = tmp_path / "third"
    third.mkdir()
    fresh = runs.copy_of(empty_database, third)
    cursors["stores"][fresh] = cursors["stores"][store]
    (run_dir / "tracking.json").write_text(json.dumps(cursors))
    assert sync(run_dir, fresh).points == runs.GENERATION_METRICS


def test_a_journal_shorter_than_the_cursor_is_delivered_from_its_start(
    store: str, tmp_path: Path
) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0), runs.generation(1))
    kept = tmp_path / "kept.ndjson"
    shutil.copy(run_dir / "journal.ndjson", kept)
    runs.append(run_dir, runs.generation(2))
    sync(run_dir, store)
    shutil.copy(kept, run_dir / "journal.ndjson")
    sync(run_dir, store)
    runs.append(run_dir, runs.generation(2), runs.generation(3))
    sync(run_dir, store)
    points = runs.recorded(store)[1]
    assert sum(points.values()) == runs.expected_points(4)


def test_a_damaged_cursor_costs_a_second_delivery_only(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    sync(run_dir, store)
    for damage in ("", "{", "[]", '{"stores": {"x": {"unknown": 1}}}', "\0" * 64):
        (run_dir / "tracking.json").write_text(damage)
        sync(run_dir, store)
        assert set(runs.recorded(store)[1].values()) == {1}


def test_a_run_at_work_is_not_synced(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    directory = RunDirectory.open(run_dir)
    try:
        with pytest.raises(UsageError, match="another driver"):
            sync(run_dir, store)
    finally:
        directory.close()


def test_sync_refuses_what_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a run directory"):
        sync(tmp_path)


def test_sync_names_a_store_that_does_not_answer(tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    with pytest.raises(EnvironmentFault, match=r"http://127\.0\.0\.1:\d+ fails"):
        sync(run_dir, f"http://127.0.0.1:{runs.free_port()}")
    assert not (run_dir / "tracking.json").exists()


def test_a_password_in_the_uri_is_refused(tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run", runs.generation(0))
    with pytest.raises(UsageError, match="MLFLOW_TRACKING_PASSWORD"):
        sync(run_dir, "https://me:secret@store.example")


def test_delivery_needs_the_start_of_a_run(store: str, tmp_path: Path) -> None:
    run_dir = runs.write(tmp_path / "run")
    journal = run_dir / "journal.ndjson"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0][:-5])
    with pytest.raises(UsageError, match="does not begin with the start of a run"):
        Delivery(run_dir, journal, store, runs.EXPERIMENT).deliver()
