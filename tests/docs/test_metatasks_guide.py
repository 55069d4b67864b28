"""The guide to meta-tasks: its file is sound, and its table names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.baselines.levels import chance, oracle
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


def test_tables_name_every_key_and_every_meta_task() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `meta/([\w-]+)`", text, re.M)) == set(META_TASKS)
    described = set(
        re.findall(r"`(\w+)`", text.partition("| key |")[2].partition("From Python")[0])
    )
    assert set(KEYS) - {"name", "about", "source"} <= described
