"""Suites of a generated world: split by seed, with no held-out meta-task among the trained ones."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evoplastic.__main__ import main
from evoplastic.checks import UsageError
from tasks.machines.generated.splitting import FAMILIES, split_world
from tasks.machines.metatasks.catalogue import META_TASKS
from tasks.machines.metatasks.collection import as_collection
from tasks.machines.metatasks.writing import as_text
from tasks.suites.loading import load_suite
from tests.tasks.machines.generated.test_levels_and_forms import renamed, sound

WORLD = [task for task in sound(24) if task.stimulus_pool][:3]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Generated meta-tasks that are no copies, and a bandit."""
    path = tmp_path / "world.yaml"
    bandit = replace(META_TASKS["dependent-bandit"](), name="known")
    path.write_text(as_collection("generated: {}", map(as_text, [*WORLD, bandit])))
    return path


def test_a_split_is_a_function_of_the_seed(world: Path) -> None:
    first = split_world(world, 2, 1)
    assert split_world(world, 2, 1) == first
    assert len({*first.train, *first.held_out}) == 3
    assert len({split_world(world, 2, 1, seed=seed).held_out for seed in range(8)}) > 1
    families = split_world(world, 2, 1, ("bandit", "harlow"))
    assert families.left_out == ("known",)
    assert families.known == tuple(
        f"meta/{name}" for name in (*FAMILIES["bandit"], *FAMILIES["harlow"])
    )
    with pytest.raises(UsageError, match="has 3 meta-tasks, 3 to train on and 1 to hold out"):
        split_world(world, 3, 1, ("bandit",))
    with pytest.raises(UsageError, match="nothing is held out"):
        split_world(world, 2, 0)
    with pytest.raises(UsageError, match="bandit"):
        split_world(world, 2, 0, ("bandits",))


def test_the_command_writes_a_suite(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "metaworld.yaml"
    words = ["--train", "2", "--hold-out", "1", "--hold-out-family", "harlow", "--out", str(out)]
    assert main(["tasks", "split", str(world), *words]) == 0
    assert "2 meta-tasks to train on, 1 and 1 known ones held out" in capsys.readouterr().out
    suite = load_suite(out)
    split = split_world(world, 2, 1, ("harlow",))
    assert tuple(task.name for task in suite.train) == split.train
    assert [task.name for task in suite.held_out] == [*split.held_out, "harlow"]
    assert suite.interface.num_outputs == 2
    assert suite.groups == {split.held_out[0]: "unseen", "harlow": "harlow"}
    assert suite.families["trained"] == split.train


def test_a_check_of_the_suite_shows_what_adaptive_policies_reach(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "metaworld.yaml"
    words = ["--train", "1", "--hold-out", "1", "--hold-out-family", "t-maze", "--out", str(out)]
    assert main(["tasks", "split", str(world), *words]) == 0
    capsys.readouterr()
    assert main(["tasks", "check", "--suite", str(out), "--json"]) == 0
    rows = {row["task"]: row for row in json.loads(capsys.readouterr().out)["tasks"]}
    assert rows["t-maze"]["group"] == "t-maze"
    assert rows["t-maze"]["best_adaptive"]["how"] == "exact"
    assert rows["t-maze"]["best_adaptive"]["reward"] == pytest.approx(0.95, abs=5e-4)
    assert all(row["best_adaptive"] is not None for row in rows.values())
    assert main(["tasks", "check", "--suite", str(out)]) == 0
    text = capsys.readouterr().out
    assert "best adaptive" in text
    assert "held-out tasks by group: unseen: 1, t-maze: 1" in text
    assert "too many states" not in text


def test_meta_tasks_too_large_to_be_known_under_other_names_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\npacing: self_paced\ntrain: [meta/harlow]\nheld_out: [meta/find-the-spot]"
    )
    assert load_suite(path).uncompared == ("find-the-spot",)


def test_a_suite_whose_held_out_meta_task_is_trained_under_other_names_is_refused(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "world.yaml", renamed(WORLD[0], np.random.default_rng(1))
    tasks = [WORLD[0], replace(copy, name="copy")]
    path.write_text(as_collection("generated: {}", map(as_text, tasks)))
    with pytest.raises(UsageError, match="are the same but for names"):
        split_world(path, 1, 1)
    suite = tmp_path / "suite.yaml"
    suite.write_text(
        f"name: mine\npacing: self_paced\ntrain: ['world.yaml:{WORLD[0].name}']\n"
        "held_out: ['world.yaml:copy']\n"
    )
    with pytest.raises(UsageError, match="leaks: held-out task 'copy' is training task"):
        _ = load_suite(suite).interface
