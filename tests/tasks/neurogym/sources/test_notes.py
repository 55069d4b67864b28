"""What a check says of tasks that can be used but may not be meant so."""

from __future__ import annotations

from typing import Any

import pytest
from neurogym.core import TrialEnv

from tasks.neurogym.bank import build_step_bank
from tasks.neurogym.environments import EnvSource
from tasks.neurogym.sources.notes import notes_on
from tests.tasks import small_envs as envs


class TwoAnswers(envs.Echo):
    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.set_groundtruth(2 - trial["bit"], "stimulus")
        return trial


class PaysNothing(envs.Echo):
    def _step(self, action: int) -> Any:
        shown, _, *rest = super()._step(action)
        return (shown, 0.0, *rest)


class CostsOnly(envs.Echo):
    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        return (shown, min(reward, 0.0), *rest)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (envs.Echo, []),
        (envs.AssignsGroundTruth, []),
        (TwoAnswers, ["in 100% of its trials the target action changes"]),
        (PaysNothing, ["no action ever pays: all rewards are 0;"]),
        (CostsOnly, ["no action ever pays: the best reward of a step is 0;"]),
    ],
)
def test_notes(task: type[TrialEnv], said: list[str]) -> None:
    notes = notes_on(build_step_bank(EnvSource(task), 8, 1).table(), consecutive=True)
    assert [note[: len(expected)] for note, expected in zip(notes, said, strict=True)] == said


def test_the_two_answers_are_named() -> None:
    notes = notes_on(build_step_bank(EnvSource(TwoAnswers), 8, 1).table(), consecutive=True)
    assert "(1, then 2)" in notes[0] or "(2, then 1)" in notes[0]
    assert "only the last answer is judged" in notes[0]
