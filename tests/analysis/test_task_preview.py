"""The picture of trials shows the numbers of the bank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.task_preview import preview, write_preview
from evoplastic.checks import EnvironmentFault, UsageError
from tasks.environments import EnvSource
from tasks.neurogym_bank import build_step_bank
from tests.tasks.small_envs import Echo


def test_inputs_and_rewards_are_those_of_the_bank() -> None:
    bank = build_step_bank(EnvSource(Echo), 3, 1)
    figure = preview(bank, 2)
    above, below = figure.axes[1], figure.axes[3]  # of trial 1
    drawn = np.array(
        [stairs.get_data().values for stairs in above.patches if hasattr(stairs, "get_data")]
    )
    assert np.array_equal(drawn.T, bank.observation_MTI[1])
    assert np.array_equal(np.asarray(below.images[0].get_array()).T, bank.reward_MTO[1])
    names = [text.get_text() for text in above.texts]
    assert names == ["stimulus", "wait", "answer"]


def test_many_input_lines_become_an_image() -> None:
    bank = build_step_bank(EnvSource("yang19.go-v0"), 1, 1)
    image = preview(bank, 1).axes[0].images[0]
    assert np.array_equal(np.asarray(image.get_array()).T, bank.observation_MTI[0])


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    bank = build_step_bank(EnvSource(Echo), 2, 1)
    with pytest.raises(UsageError, match="num_trials is 3, expected 1 to 2"):
        preview(bank, 3)
    with pytest.raises(UsageError, match="expected an ending such as"):
        write_preview(bank, tmp_path / "picture.nothing", 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot write"):
        write_preview(bank, tmp_path / "file" / "picture.png", 1)
