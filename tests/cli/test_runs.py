from __future__ import annotations

from pathlib import Path

from cluster.tracking.sync import sync
from tests.cli.conftest import Command
from tests.cluster import written_runs
from tests.cluster.tracking.page import long_runs


def test_the_verb_prints_both_tables_and_json(
    empty_mlflow: Path, tmp_path: Path, command: Command
) -> None:
    store = written_runs.copy_of(empty_mlflow, tmp_path)
    for seed in (1, 2):
        sync(long_runs.write(tmp_path / f"seed{seed}", seed, 10, ("search.sigma=0.05",)), store)
    printed = command("runs", "--store", store)
    assert printed.code == 0, printed.err
    assert "miconi2023-seed1 sigma=0.05" in printed.out
    words = [line.split() for line in printed.out.splitlines()]
    assert [line for line in words if line[1:3] == ["2", "92.0"]], printed.out
    found = command("runs", "--store", store, "--where", "seed=1", "--json").json
    assert [run["seed"] for run in found[0]["runs"]] == [1]
    assert found[0]["held_out_low"] == found[0]["held_out_high"]
    nothing = command("runs", "--store", store, "--where", "seed=9")
    assert (nothing.code, "no run" in nothing.out) == (0, True)
