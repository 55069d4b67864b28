"""Named meta-tasks, each one an entry: a file of `named/`, or a function that builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tasks.machines.metatasks.cues import cue_reward
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.grids import find_the_spot, grid_maze
from tasks.machines.metatasks.reading import read_meta_task

PREFIX = "meta/"  # of what is typed for them
FOLDER = Path(__file__).parent / "named"

META_TASKS: Mapping[str, Callable[..., MetaTask]] = {
    name: partial(read_meta_task, FOLDER / f"{name}.yaml")
    for name in (
        "independent-bandit",
        "dependent-bandit",
        "reversal-bandit",
        "harlow",
        "t-maze",
        "two-step",
        "key-door",
    )
} | {"cue-reward": cue_reward, "grid-maze": grid_maze, "find-the-spot": find_the_spot}
