"""Meta-tasks on grids: hidden reward in a maze of pillars, and a spot in an open field.

Cells are numbered row by row; actions go up, right, down and left, and whoever walks into a wall
stays where it is. A step costs `STEP_COST`, since a trial ends where it pays: else nobody had to
hurry.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from tasks.machines.metatasks.codes import one_hot
from tasks.machines.metatasks.form import MetaTask, StateRange
from tasks.machines.state_machine import RewardRule, StateVariable

ACTIONS = ("up", "right", "down", "left")
STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))
STEP_COST = 0.05
Cell = tuple[int, int]  # row, column


def grid_maze(size: int = 7, trial_steps: int = 16, instance_trials: int = 12) -> MetaTask:
    """A square with a wall around it and a pillar in every second place; one cell pays.

    A trial begins with a leap to any cell, and ends in the one that pays. What is seen is the three
    times three places around, 1 for a wall.

    Source: Miconi et al. 2018 (arXiv 1804.02464), whose maze has 13 x 13 places, pays 10, and
    leaps within an episode of 200 steps.
    """
    inner = range(1, size - 1)
    cells = [cell for cell in product(inner, inner) if cell[0] % 2 or cell[1] % 2]
    views = [
        tuple(
            float((row + down, column + right) not in cells)
            for down, right in product((-1, 0, 1), repeat=2)
        )
        for row, column in cells
    ]
    kinds = sorted(set(views))
    leap = (0.0, *([1 / len(cells)] * len(cells)))
    return MetaTask(
        name="grid-maze",
        about="Find the cell that pays, in a maze seen three by three places at a time.",
        source="Miconi et al. 2018 (arXiv 1804.02464), with 7 x 7 places for its 13 x 13",
        states=("leap", *(f"r{row}c{column}" for row, column in cells)),
        actions=ACTIONS,
        transitions=((leap,) * 4, *moves(cells, before=1)),
        stimuli=(None, *(kinds.index(view) for view in views)),
        code=tuple(kinds),
        rewards=(RewardRule(value=-STEP_COST), RewardRule(new=StateVariable(0))),
        state_variables=(StateRange("spot", tuple(range(1, len(cells) + 1))),),
        ends=(StateVariable(0),),
        trial_steps=trial_steps,
        instance_trials=instance_trials,
    )


def find_the_spot(trial_steps: int = 8, instance_trials: int = 10) -> MetaTask:
    """An open field of three times three cells, each with a stimulus of its own.

    A trial begins in the middle; one of the others pays and ends it.

    Source: Morris 1981 (Learn Motiv 12:239), as a topological state space of Miconi 2023.
    """
    cells = [(1, 1), *(cell for cell in product(range(3), range(3)) if cell != (1, 1))]
    return MetaTask(
        name="find-the-spot",
        about="From the middle of an open field, find the cell that pays in this instance.",
        source="Morris 1981 (Learn Motiv 12:239) as a state space of Miconi 2023",
        states=tuple(f"r{row}c{column}" for row, column in cells),
        actions=ACTIONS,
        transitions=moves(cells),
        stimuli=tuple(range(9)),
        code=one_hot(9),
        rewards=(RewardRule(value=-STEP_COST), RewardRule(new=StateVariable(0))),
        state_variables=(StateRange("spot", tuple(range(1, 9))),),
        ends=(StateVariable(0),),
        trial_steps=trial_steps,
        instance_trials=instance_trials,
    )


def moves(cells: Sequence[Cell], before: int = 0) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Transitions between cells, `before` other states standing in front of them."""
    place = {cell: number + before for number, cell in enumerate(cells)}
    total = len(cells) + before
    return tuple(
        tuple(
            tuple(
                float(new == place.get((cell[0] + down, cell[1] + right), place[cell]))
                for new in range(total)
            )
            for down, right in STEPS
        )
        for cell in cells
    )
