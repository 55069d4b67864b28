"""The picture of a meta-task says where actions lead, and finds a place for every state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.previews.picture import write_picture
from analysis.previews.state_graph import arrows, distances, layout, state_graph
from tasks.machines.metatasks.catalogue import META_TASKS


def test_arrows_name_actions_and_odds() -> None:
    assert arrows(META_TASKS["two-step"]()) == {
        (0, 1): "left 0.9\nright 0.1",
        (0, 2): "left 0.1\nright 0.9",
        (1, 0): "",
        (2, 0): "",
    }
    assert arrows(META_TASKS["t-maze"]()) == {(0, 1): "", (1, 2): "left", (1, 3): "right"}


def test_distances_are_fewest_steps() -> None:
    assert distances(META_TASKS["t-maze"]())[0].tolist() == [0, 1, 2, 2]
    field = META_TASKS["find-the-spot"]()
    corners = [field.states.index(name) for name in ("r0c0", "r2c2")]
    assert distances(field)[corners[0], corners[1]] == 4


@pytest.mark.parametrize("name", META_TASKS)
def test_states_stand_apart(name: str) -> None:
    place_S2 = layout(META_TASKS[name]())
    apart_SS = np.linalg.norm(place_S2[:, None] - place_S2[None], axis=2)
    np.fill_diagonal(apart_SS, 1.0)
    assert apart_SS.min() > 0.04
    assert place_S2.min() >= 0
    assert place_S2.max() <= 1


def test_a_graph_is_drawn_with_what_is_drawn_anew(tmp_path: Path) -> None:
    figure = state_graph(META_TASKS["key-door"]())
    said = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    assert "key among hall, den, door; first, second among 6 stimuli" in said
    assert write_picture(figure, tmp_path / "key.png").read_bytes().startswith(b"\x89PNG")
