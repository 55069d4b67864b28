"""A picture of a meta-task: its states, where actions lead, and what is drawn for each instance."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from analysis.figures.style import GREY, drawing, write_caption
from analysis.previews.picture import TARGET, head
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.writing import to_plain
from tasks.machines.state_machine import StateVariable

Float64Array = NDArray[np.float64]

MOST_IN_LAYER = 8  # of states as far from the start; more are laid out by their distances
MOST_LABELLED = 12  # states, beyond which actions are not named
SHOWN, HIDDEN = "#DCE9F5", "#F2F2F2"
SIZE = 6.4  # inches


def state_graph(task: MetaTask) -> Figure:
    """States as boxes with what they show, transitions as arrows with their actions and odds.

    The start has a thick edge; orange are states that a variable may name.
    """
    place_S2 = layout(task)
    plain = to_plain(task)
    below = [f"Drawn anew in each instance: {_drawn(task)}"] if plain.get("variables") else []
    below += [
        f"{key.title()}: {_words(plain[key])}" for key in ("flags", "rewards") if key in plain
    ]
    caption = (
        "Boxes are states with what they show, a trial begins in the one with the thick edge; "
        "orange may be named by a variable. Arrows are actions, with their odds below 1; an action "
        "that stays is not drawn. " + ". ".join(below)
    )
    lines = 2 + len(caption) // 95
    bottom = 0.35 + 0.15 * lines
    with drawing():
        figure = Figure(figsize=(SIZE, SIZE * 0.72 + bottom))
        height = SIZE * 0.72 + bottom
        axes = figure.add_axes((0.02, bottom / height, 0.96, (height - bottom - 0.55) / height))
        axes.set_axis_off()
        axes.set_xlim(-0.12, 1.12)
        axes.set_ylim(-0.14, 1.14)
        for (old, new), label in arrows(task).items():
            _arrow(axes, place_S2[old], place_S2[new], label, labelled=_labelled(task))
        named = {state for _, states in task.state_variables for state in states}
        for state, name in enumerate(task.states):
            axes.annotate(
                _box_words(task, plain, name),
                place_S2[state],
                ha="center",
                va="center",
                fontsize=8 if _labelled(task) else 6,
                zorder=3,
                bbox={
                    "boxstyle": "round,pad=0.3",
                    "fc": HIDDEN if task.stimuli[state] is None else SHOWN,
                    "ec": TARGET if state in named else "black",
                    "lw": 2.2 if state == 0 else 1.0,
                },
            )
        write_caption(figure, caption, task.source, bottom_inches=bottom - 0.05)
        head(figure, task.name, task.about)
    return figure


def arrows(task: MetaTask) -> dict[tuple[int, int], str]:
    """What leads from one state to another: actions, all of them unnamed, with odds below 1."""
    found: dict[tuple[int, int], dict[float, list[str]]] = {}
    for old, rows in enumerate(task.transitions):
        if old in task.ends and old:
            continue  # nobody acts there
        for action, row in zip(task.actions, rows, strict=True):
            for new, chance in enumerate(row):
                if chance and new != old:
                    found.setdefault((old, new), {}).setdefault(chance, []).append(action)
    return {
        pair: "\n".join(
            " ".join(
                part
                for part in (
                    "" if len(actions) == len(task.actions) else "/".join(actions),
                    "" if chance == 1 else f"{chance:.2g}",
                )
                if part
            )
            for chance, actions in odds.items()
        )
        for pair, odds in found.items()
    }


def layout(task: MetaTask) -> Float64Array:
    """Places of states in a unit square: by distance from the start where few are as far, else by
    classical scaling of the distances between them."""
    distance_SS = distances(task)
    layers: dict[int, list[int]] = {}
    for state, distance in enumerate(distance_SS[0].tolist()):
        layers.setdefault(int(distance), []).append(state)
    if max(map(len, layers.values())) <= MOST_IN_LAYER:
        place_S2 = np.zeros((len(task.states), 2))
        for distance, states in layers.items():
            for number, state in enumerate(states):
                # three states in a row would hide an arrow from the first to the last
                lift = 0.12 if len(states) == 1 and distance % 2 else 0.0
                place_S2[state] = distance, (number + 0.5) / len(states) + lift
    else:
        both_SS = np.minimum(distance_SS, distance_SS.T) ** 2
        both_SS[0, 1:] = both_SS[1:, 0] = (both_SS[1:, 1:].max() / 4) + 1  # the start aside
        centred_SS = both_SS - both_SS.mean(axis=0) - both_SS.mean(axis=1)[:, None] + both_SS.mean()
        values, vectors = np.linalg.eigh(-centred_SS / 2)
        place_S2 = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0))
        place_S2[0] = place_S2.min(axis=0)
    low, high = place_S2.min(axis=0), place_S2.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    return np.where(high > low, (place_S2 - low) / span, 0.5)


def distances(task: MetaTask) -> Float64Array:
    """Fewest steps from each state to each other; where no way leads, the number of states."""
    S = len(task.states)
    leads_SS = np.array(task.transitions).max(axis=1) > 0
    ends = [state for state in task.ends if isinstance(state, int) and state]
    leads_SS[ends] = False
    start_is_dense = leads_SS[0].sum() > MOST_IN_LAYER
    distance_SS = np.where(leads_SS, 1.0, float(S))
    np.fill_diagonal(distance_SS, 0.0)
    for middle in range(int(start_is_dense), S):
        through_SS = distance_SS[:, middle, None] + distance_SS[None, middle]
        distance_SS = np.minimum(distance_SS, through_SS)
    return distance_SS


def _labelled(task: MetaTask) -> bool:
    return len(task.states) <= MOST_LABELLED


def _box_words(task: MetaTask, plain: dict[str, Any], name: str) -> str:
    if not _labelled(task):
        return name
    shown = plain["stimuli"].get(name)
    state = task.states.index(name)
    ends = state in task.ends and state != 0
    words = [name, *([] if shown is None else [f"shows {shown}"]), *(["ends"] if ends else [])]
    ends_here = any(isinstance(end, StateVariable) for end in task.ends)
    maybe = ends_here and any(state in states for _, states in task.state_variables)
    return "\n".join([*words, *(["may end"] if maybe and not ends else [])])


def _drawn(task: MetaTask) -> str:
    """The variables in words."""
    S = task.states
    parts = [
        f"{name} among {', '.join(S[state] for state in states[:8])}{', ...' * (len(states) > 8)}"
        for name, states in task.state_variables
    ]
    parts += [f"{name} from {low:g} to {high:g}" for name, low, high in task.probability_variables]
    if task.stimulus_variables:
        names = ", ".join(task.stimulus_variables)
        parts.append(f"{names} among {len(task.stimulus_pool)} stimuli")
    return "; ".join(parts)


def _arrow(
    axes: Any, start_2: Float64Array, stop_2: Float64Array, label: str, *, labelled: bool
) -> None:
    axes.annotate(
        "",
        stop_2,
        start_2,
        arrowprops={
            "arrowstyle": "-|>",
            "color": GREY,
            "lw": 0.9,
            "shrinkA": 20 if labelled else 9,
            "shrinkB": 22 if labelled else 10,
            "connectionstyle": "arc3,rad=0.16",
        },
        zorder=1,
    )
    if label and labelled:
        way_2 = stop_2 - start_2
        middle_2 = (start_2 + stop_2) / 2 + 0.09 * np.array([way_2[1], -way_2[0]])
        axes.annotate(
            label,
            middle_2,
            ha="center",
            va="center",
            fontsize=7,
            color="black",
            zorder=2,
            bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.85},
        )


def _words(value: Any) -> str:
    """Plain values in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(each)}" for key, each in value.items())
    if isinstance(value, list):
        some = [_words(each) for each in value[:8]]
        return "; ".join([*some, "..."] if len(value) > 8 else some)
    return f"{value:g}" if isinstance(value, float) else str(value)
