from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from mlflow.tracking import MlflowClient

from analysis.mlflow_store import log_figures
from cluster.config.run import load_config
from cluster.journal import read_journal
from cluster.tracking.page.note import Place, note
from cluster.tracking.sync import sync
from evoplastic.cli.parser import parse
from evoplastic.notes import HEADING, NOTE_TAG, with_links
from evoplastic.records.events import metric_events
from tests.cluster import written_runs as runs
from tests.cluster.tracking.page import long_runs

CONFIG = yaml.safe_load(load_config("miconi2023", ["search.sigma=0.05"]).to_yaml())
START = dataclasses.replace(runs.start(), name="miconi2023", seed=4)
PLACE = Place("http://store.example:5000", "ab" * 16)


def written(last: bool = True) -> str:
    event = long_runs.evaluation(30, 1.0, np.random.default_rng(1)) if last else None
    return note(Path("runs/a b"), START, CONFIG, PLACE, event, "done" if last else None)


def test_held_out_tasks_come_first_beside_their_levels() -> None:
    rows = [line for line in written().splitlines() if line.startswith("| ")]
    assert [row.split("|")[1].strip() for row in rows[1:3]] == [
        "**`dms`** (held out)", "**`dnms`** (held out)"
    ]  # fmt: skip
    assert [cell.strip() for cell in rows[1].split("|")[5:7]] == ["75", "50"]
    assert len(rows) == 1 + 14
    assert "the worst 92 %" in written()
    assert "`dms` and `dnms` show the same and want opposite answers" in written()
    assert "the bias, is 0 %." in written()


def test_commands_need_nothing_but_the_store() -> None:
    lines = [line.strip() for line in written().splitlines() if line.startswith("    ")]
    assert lines[0] == f"export MLFLOW_TRACKING_URI={PLACE.uri}"
    for line in lines[1:4]:
        assert PLACE.run_id in line
        parse(shlex.split(line)[1:])
    assert shlex.split(lines[4])[-1] == str(Path("runs/a b").absolute())


def test_what_differs_is_told() -> None:
    assert "- `search.sigma`: 0.05" in written()
    assert written().startswith("**miconi2023-seed4 sigma=0.05**: done.")
    assert written(last=False).startswith("**miconi2023-seed4 sigma=0.05**: at work.")


def test_a_name_of_a_task_breaks_no_table() -> None:
    entry = dataclasses.replace(runs.evaluation(0).entries[0], task="a|b`c")
    event = dataclasses.replace(runs.evaluation(0), entries=(entry,))
    text = note(Path("r"), START, CONFIG, PLACE, event, "done")
    assert "| **`a\\|b'c`** (held out) | 75 |" in text


def test_groups_of_held_out_tasks_are_told() -> None:
    entry = dataclasses.replace(runs.evaluation(0).entries[0], group="3 new together")
    event = dataclasses.replace(runs.evaluation(0), entries=(entry,))
    text = note(Path("r"), START, CONFIG, PLACE, event, "done")
    assert " By group: 3 new together 75 %." in text


def test_links_are_replaced_and_named_once() -> None:
    one = with_links("text", "1", "r", ["figures/a.png", "figures/a.svg", "figures/b c.html"])
    assert one.count("](#/experiments/1/runs/r/artifacts/figures/") == 2
    assert "figures/b%20c.html" in one
    two = with_links(one, "1", "r", ["figures/d.png"])
    assert two.count(HEADING.strip()) == 1
    assert "a.png" not in two
    assert with_links("text", "1", "r", ["figures/a.csv"]) == "text"


def test_the_page_at_the_end_of_a_run(empty_database: Path, tmp_path: Path) -> None:
    """Note, name, tags, details and links, as the store has them; an older page gets them too."""
    uri = runs.copy_of(empty_database, tmp_path)
    run_dir = long_runs.write(tmp_path / "run", 4, 10, ("search.sigma=0.05",))
    mlflow_run = sync(run_dir, uri).mlflow_run_id
    client = MlflowClient(tracking_uri=uri)
    run = client.get_run(mlflow_run)
    assert run.info.run_name == "miconi2023-seed4 sigma=0.05"
    assert "**`dms`** (held out) | 92 |" in run.data.tags[NOTE_TAG]
    assert len(run.data.metrics) <= 100
    file = client.download_artifacts(mlflow_run, "details/metrics.parquet", str(tmp_path))
    table = pd.read_parquet(file)
    whole = metric_events(read_journal(run_dir / "journal.ndjson")[0])
    assert len(table) == sum(len(metrics) for _, _, metrics in whole)
    (tmp_path / "curve.png").write_bytes(b"png")
    log_figures("miconi2023-4-1", [tmp_path / "curve.png"], uri)
    kind = client.get_experiment(run.info.experiment_id).tags["mlflow.experimentKind"]
    assert kind == "custom_model_development"
    tracking = run_dir / "tracking.json"
    tracking.write_text(tracking.read_text().replace('"page": 3', '"page": 1'))
    client.update_run(mlflow_run, name="miconi2023")
    again = sync(run_dir, uri)
    assert (again.mlflow_run_id, again.points) == (mlflow_run, len(runs.owed(run_dir)))
    run = client.get_run(mlflow_run)
    assert run.info.run_name == "miconi2023-seed4 sigma=0.05"
    assert "[curve](#/experiments/" in run.data.tags[NOTE_TAG]
