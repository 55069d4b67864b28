"""lineage --population: what is told, drawn, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.config.run import load_config
from cluster.loop import evolve
from tests.analysis.lineage.test_pedigree import run_of
from tests.cli.conftest import Command
from tests.cluster import written_runs


def test_the_population_of_a_run_is_told_and_drawn(tmp_path: Path, command: Command) -> None:
    run = run_of(tmp_path / "run")
    answer = command("lineage", run, "--population")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines()[:5] == [
        "small-5: 6 individuals in 3 generations",
        "3 of 3 founders have a share in those kept: 0 (50.0%), 2 (33.3%), 1 (16.7%)",
        "individual 15 stands for the search: mutation in generation 2, of 11 (100.0%)",
        "it came from 5 others; of its founders, 2 (50.0%), 0 (37.5%), 1 (12.5%)",
        "whoever gave most: 15@2 < 11@1 < 2",
    ]
    assert (run / "figures" / "pedigree_ancestry.pdf").is_file()
    tree = command("lineage", run)
    assert "lineage run --population" in tree.out.replace(f"{tmp_path}/", "")
    refused = command("lineage", run, "--population", "--near", tmp_path)
    assert (refused.code, "--near looks for runs of a family" in refused.err) == (2, True)


@pytest.mark.exhaustive
def test_numbers_of_a_population_are_printed_as_json(tmp_path: Path, command: Command) -> None:
    run = run_of(tmp_path / "run")
    told = command("lineage", run, "--population", "--json", "--out", tmp_path / "here").json
    assert told["champion"] == 15
    assert [row["individual"] for row in told["ancestry"]] == [0, 1, 2, 7, 11, 15]
    assert {Path(file).parent for file in told["files"]} == {tmp_path / "here"}


@pytest.mark.exhaustive
def test_the_population_of_a_run_is_read_from_its_store(
    empty_mlflow: Path, tmp_path: Path, command: Command
) -> None:
    store = written_runs.copy_of(empty_mlflow, tmp_path)
    config = load_config(
        "smoke",
        [
            "search=cosyne",
            "search.popsize=8",
            "search.lifetimes=1",
            "evolution.generations=3",
            "evaluation.controls=false",
            f"tracking.uri={store}",
        ],
    )
    run = evolve(config, tmp_path / "run")
    here = command("lineage", run.run_dir, "--population", "--json", "--out", "here").json
    there = command(
        *("lineage", run.run_id, "--store", store, "--population", "--json", "--out", "there")
    ).json
    assert there.pop("files") != here.pop("files")
    assert there == here
    assert here["champion"] == here["ancestry"][-1]["individual"]
    report = command("analyze", run.run_id, "--store", store, "--json", "--out", "figures").json
    assert "figures/pedigree_founders.svg" in report["files"]
    from mlflow.tracking import MlflowClient

    artifacts = MlflowClient(tracking_uri=store).list_artifacts(report["mlflow_run_id"], "figures")
    names = {each.path for each in artifacts}
    assert "figures/pedigree_ancestry.png" in names
