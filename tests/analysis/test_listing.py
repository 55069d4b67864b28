from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

import evoplastic as ep
from analysis.listing import list_runs
from cluster.tracking.sync import sync
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.records.names import TAG_RUN_ID
from tests.cluster import written_runs
from tests.cluster.tracking.page import long_runs


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three seeds of one setting and one of another, which has not come far."""
    folder = tmp_path_factory.mktemp("filled")
    uri = f"sqlite:///{written_runs.new_database(folder / 'mlflow.db')}"
    for seed in (1, 2, 3):
        sync(long_runs.write(folder / f"seed{seed}", seed, 10), uri)
    early = long_runs.write(folder / "other", 1, 10, ("search.sigma=0.05",), reached=0.5)
    sync(early, uri)
    return folder / "mlflow.db"


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(filled, tmp_path / 'mlflow.db')}"


def test_seeds_of_a_setting_are_together_and_the_best_comes_first(store: str) -> None:
    best, other = list_runs(store)
    assert {run.seed for run in best.runs} == {1, 2, 3}
    assert best.values == sorted(best.values, reverse=True)
    assert best.mean == pytest.approx(0.92, abs=0.01)
    assert [run.overrides for run in other.runs] == ["search.sigma=0.05"]
    assert other.mean == pytest.approx(0.71, abs=0.01)
    assert best.runs[0].worst_task <= best.runs[0].held_out  # type: ignore[operator]
    assert best.runs[0].generations == 10
    assert best.bias == pytest.approx(0.0, abs=0.01), "dms and dnms are answered alike"


def test_runs_that_were_delivered_with_an_earlier_summary_are_listed(store: str) -> None:
    client = MlflowClient(tracking_uri=store)
    experiment = client.get_experiment_by_name(written_runs.EXPERIMENT).experiment_id
    tags = {TAG_RUN_ID: "earlier"}
    earlier = client.create_run(experiment, run_name="earlier", tags=tags).info.run_id
    client.log_metric(earlier, "summary/held_out_accuracy", 0.99)
    client.log_metric(earlier, "held_out/dms/accuracy_mean", 0.5)
    first = list_runs(store)[0].runs[0]
    assert (first.name, first.held_out, first.bias) == ("earlier", 0.99, None)


@pytest.mark.parametrize(
    ("conditions", "runs"),
    [
        (["search.sigma=0.05"], 1),
        (["search.sigma<0.05"], 3),
        (["held_out>0.9", "seed<=2"], 2),
        (["bias<0.1"], 4),
        (["name=miconi2023-seed2"], 1),
        (["status!=FINISHED"], 0),
        (["rule.name=node_perturbation"], 4),
    ],
)
def test_conditions_choose(store: str, conditions: list[str], runs: int) -> None:
    assert sum(len(each.runs) for each in list_runs(store, conditions)) == runs


def test_a_setting_is_found_by_its_first_digits(store: str) -> None:
    digest = list_runs(store)[1].setting
    (only,) = list_runs(store, [f"setting={digest[:6]}"])
    assert only.setting == digest


def test_python_has_the_same_table(store: str, tmp_path: Path) -> None:
    listed = list_runs(store)
    table = ep.runs(store)
    assert list(table["mlflow_run_id"]) == [
        run.mlflow_run_id for each in listed for run in each.runs
    ]
    assert list(table["held_out"]) == [run.held_out for each in listed for run in each.runs]
    assert list(table["runs"]) == [3, 3, 3, 1]
    assert table["held_out_mean"][0] == pytest.approx(table["held_out"][:3].mean())
    assert table["settings"][0]["search.sigma"] == "0.03"
    only = ep.runs(store, where="seed=2")
    assert len(ep.runs(store, where="search=es")) == len(table)
    with pytest.raises(UsageError, match="> compares numbers, 'good' is none"):
        ep.runs(store, where="held_out>good")
    assert (len(only), only["seed"][0], only["generations"][0]) == (1, 2, 10)
    assert list(ep.runs(store, where=["seed=9"]).columns) == list(table.columns)
    with pytest.raises(UsageError, match="no tracking store at"):
        ep.runs(f"sqlite:///{tmp_path}/nothing.db")


def test_what_cannot_be_asked(store: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run of this store has 'search.sigmma'.*search.sigma"):
        list_runs(store, ["search.sigmma=1"])
    with pytest.raises(UsageError, match="is no condition"):
        list_runs(store, ["sigma"])
    with pytest.raises(UsageError, match="no tracking store at"):
        list_runs(f"sqlite:///{tmp_path}/nothing.db")
    with pytest.raises(EnvironmentFault, match="does not answer"):
        list_runs(f"http://127.0.0.1:{written_runs.free_port()}")
    with pytest.raises(EnvironmentFault, match="does not answer") as refused:
        list_runs(f"http://me:secret@127.0.0.1:{written_runs.free_port()}")
    assert "secret" not in str(refused.value)
