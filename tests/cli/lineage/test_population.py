"""lineage --population: what is told, drawn, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.analysis.lineage.test_pedigree import run_of
from tests.cli.conftest import Command


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
