"""The guide to meta-tasks: its file is sound, and its table names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.baselines.levels import chance, oracle, table_levels
from tasks.machines.adaptive.level import MEASURE_SEED, MEASURED, adaptive_level
from tasks.machines.metatasks.catalogue import META_TASKS
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.reading import KEYS, read_meta_task
from tasks.machines.states import machine_nodes
from tests.docs.guide import blocks, files

GUIDE = Path(__file__).parents[2] / "docs" / "metatasks.md"


def test_the_file_of_the_guide_is_a_meta_task() -> None:
    task = read_meta_task(Path("doors.yaml"), files(blocks(GUIDE))["doors.yaml"])
    assert isinstance(task, MetaTask)
    assert task.num_steps == 2
    bank = machine_nodes(task.machine(), 2000, 0)
    assert oracle(bank).reward > chance(bank).reward + 0.2
    found = adaptive_level(task.machine())
    assert found is not None
    assert f"`{found.how} {found.reward:.3f} per trial`" in GUIDE.read_text(encoding="utf-8")


def test_tables_name_every_key_and_every_meta_task() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `meta/([\w-]+)`", text, re.M)) == set(META_TASKS)
    described = set(
        re.findall(r"`(\w+)`", text.partition("| key |")[2].partition("From Python")[0])
    )
    assert set(KEYS) - {"name", "about", "source"} <= described


def levels_told() -> dict[str, list[str]]:
    """The rows of the table of levels."""
    table = GUIDE.read_text(encoding="utf-8").partition("| best adaptive |")[2]
    rows = re.findall(r"^\| `meta/([\w-]+)` \|(.*)\|$", table, re.M)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def assert_level(name: str) -> None:
    machine, told = META_TASKS[name]().machine(), levels_told()[name]
    found = adaptive_level(machine)
    assert found is not None
    assert told[2] == f"{'' if found.how == 'exact' else '≥ '}{found.reward:.3f}"
    assert found.standard_error < (0.02 if name == "key-door" else 0.01)
    levels = table_levels(machine_nodes(machine, MEASURED * machine.instance_trials, MEASURE_SEED))
    assert [told[0], told[1], told[3]] == [f"{level.reward:.2f}" for level in levels]


def test_levels_told_are_those_of_small_tasks() -> None:
    assert set(levels_told()) == set(META_TASKS)
    for name in ("t-maze", "two-step", "dependent-bandit", "harlow"):
        assert_level(name)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", META_TASKS)
def test_levels_told_are_those_of_all_tasks(name: str) -> None:
    assert_level(name)
