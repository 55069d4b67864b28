"""A whole run on generated meta-tasks, with families held out: the recipe `metaworld-smoke`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.groups import groups_table
from analysis.store import open_run
from evoplastic.__main__ import main
from tasks.suites.loading import load_suite

pytestmark = pytest.mark.exhaustive  # compiles a kernel that few other tests need


def test_held_out_families_have_their_regret_beside_all_controls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["evolve", "metaworld-smoke", "threads=1", "--run-dir", str(run)]) == 0
    table = groups_table([open_run(run)]).set_index(["group", "condition"])
    for family in ("unseen", "bandit", "harlow"):
        for condition in ("plastic", "plasticity_off", "random_genome"):
            row = table.loc[(family, condition)]
            assert row["reward_chance"] < row["reward_adaptive"]
            regret = row["reward_adaptive"] - row["reward_mean"]
            above_chance = row["reward_adaptive"] - row["reward_chance"]
            assert row["regret_share"] == pytest.approx(regret / above_chance)
    capsys.readouterr()
    words = ["evaluate", str(run), "--task", "harlow", "--lifetimes", "2", "--json"]
    assert main(words) == 0
    (entry,) = json.loads(capsys.readouterr().out)["tasks"]
    assert entry["reward_adaptive"] == pytest.approx(0.953, abs=0.01)


def test_a_generated_world_is_shipped_with_its_levels() -> None:
    suite = load_suite("metaworld")
    assert (len(suite.train), len(suite.held_out)) == (60, 25)
    assert set(suite.groups.values()) == {"unseen", "bandit", "harlow", "t-maze"}
    assert suite.interface.num_outputs == 2  # compares all tasks, and refuses what leaks
