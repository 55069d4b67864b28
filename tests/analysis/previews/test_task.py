"""Pictures of trials show the numbers of the bank."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle, StepPatch

from analysis.previews.machine import machine_preview, walk
from analysis.previews.picture import Words, write_picture
from analysis.previews.task import ROW, preview
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.trials.table import TrialTable
from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.examination import build_bank
from tests.tasks.small_envs import Echo


def test_inputs_and_rewards_are_those_of_the_bank() -> None:
    bank = build_step_bank(EnvSource(Echo), 3, 1)
    figure = preview(bank, 2)
    above, below = figure.axes[1], figure.axes[3]  # of trial 1
    curves = [patch for patch in above.patches if isinstance(patch, StepPatch)]
    drawn = np.array([np.asarray(curve.get_data()[0]) for curve in curves])
    shown = bank.observation_MTI[:2]
    scale = ROW / (shown.max() - min(shown.min(), 0.0))
    assert np.allclose((drawn.T - np.arange(3)) / scale, shown[1], atol=1e-6)
    assert np.array_equal(np.asarray(below.images[0].get_array()).T, bank.reward_MTO[1])
    names = [text.get_text() for text in above.texts]
    assert names == ["stimulus", "wait", "answer"]
    assert above.get_title() == f"trial 1: answer {bank.answer_M[1]}, reward 1"


def test_lines_are_called_by_their_names() -> None:
    bank = build_step_bank(EnvSource(Echo), 1, 1)
    figure = preview(bank, 1, Words("Say it.", ["cue", "left", "right"], ["wait", "one", "two"]))
    labels = [[tick.get_text() for tick in axes.get_yticklabels()] for axes in figure.axes[:2]]
    assert labels == [["cue", "left", "right"], ["wait", "one", "two"]]
    answer = ("wait", "one", "two")[bank.answer_M[0]]
    assert figure.axes[0].get_title() == f"trial 0: answer {answer}, reward 1"
    assert "Say it." in [text.get_text() for text in figure.texts]


def test_many_input_lines_become_an_image() -> None:
    bank = build_step_bank(EnvSource("yang19.go-v0"), 1, 1)
    image = preview(bank, 1).axes[0].images[0]
    assert np.array_equal(np.asarray(image.get_array()).T, bank.observation_MTI[0])


def test_panels_of_longer_trials_are_wider_and_their_time_is_marked_alike() -> None:
    bank = build_step_bank(EnvSource("PerceptualDecisionMakingDelayResponse-v0"), 3, 0)
    axes = preview(bank, 3).axes[3:6]
    width = [each.get_position().width for each in axes]
    order = np.argsort(bank.num_steps_M)
    assert np.array_equal(order, np.argsort(width))
    apart = {round(float(np.diff(each.get_xticks())[0]), 6) for each in axes}
    assert len(apart) == 1


def test_a_state_machine_is_walked_under_its_oracle() -> None:
    bank = build_bank(EnvSource("DawTwoStep-v0"), 20, 0)
    assert isinstance(bank, TrialTable)
    lived = walk(bank, 5)
    assert lived.trial_S.tolist() == [trial for trial in range(5) for _ in range(2)]
    assert (lived.action_S[1::2] == 0).all()  # fixate after the choice
    assert np.array_equal(lived.reward_S, bank.reward_VO[lived.state_S, lived.action_S])
    shown, paid, reward = machine_preview(bank, 5).axes[:3]
    assert np.array_equal(
        np.asarray(shown.images[0].get_array()).T, bank.observation_VI[lived.state_S]
    )
    assert np.array_equal(np.asarray(paid.images[0].get_array()).T, bank.reward_VO[lived.state_S])
    bars = [bar for bar in reward.patches if isinstance(bar, Rectangle)]
    assert [bar.get_height() for bar in bars] == lived.reward_S.tolist()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    bank = build_step_bank(EnvSource(Echo), 2, 1)
    with pytest.raises(UsageError, match="num_trials is 3, expected 1 to 2"):
        preview(bank, 3)
    with pytest.raises(UsageError, match="num_trials is 3, expected 1 to 2"):
        machine_preview(bank.table(), 3)
    with pytest.raises(UsageError, match="expected an ending such as"):
        write_picture(preview(bank, 1), tmp_path / "picture.nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot write"):
        write_picture(preview(bank, 1), tmp_path / "file" / "picture.png")
