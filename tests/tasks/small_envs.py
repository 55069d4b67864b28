"""Small tasks of a user: one that is as it should be, and each way of going wrong."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from neurogym.core import TrialEnv
from neurogym.utils import spaces


class Echo(TrialEnv):
    """See a bit, wait, say it: answers count at the end only, answering ends the trial."""

    count_in_class: list[int] = []  # noqa: RUF012  # one of the places where state hides

    def __init__(self, dt: int = 20, wait_ms: int = 100) -> None:
        super().__init__(dt=dt)
        self.timing = {"stimulus": 100, "wait": wait_ms, "answer": 100}
        self.rewards = {"abort": -0.1, "correct": 1.0, "fail": 0.0}
        self.observation_space = spaces.Box(-np.inf, np.inf, shape=(3,), dtype=np.float32)
        self.action_space = spaces.Discrete(3)

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = {"bit": int(self.rng.randint(2)), **kwargs}
        self.add_period(list(self.timing))
        self.add_ob(1, "stimulus", where=1 + trial["bit"])
        self.add_randn(0, 0.1, "stimulus")
        self.set_groundtruth(1 + trial["bit"], "answer")
        return trial

    def _step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, over = 0.0, False
        if self.in_period("answer"):
            if action != 0:
                over = True
                reward = self.rewards["correct" if action == self.gt_now else "fail"]
        elif action != 0:
            reward = self.rewards["abort"]
        return self.ob_now, reward, False, False, {"new_trial": over, "gt": self.gt_now}


class Untimed(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.timing = {}


class BoxActions(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.action_space = spaces.Box(-1, 1, shape=(2,))


class DictActions(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.action_space = gymnasium.spaces.Dict({"hand": gymnasium.spaces.Discrete(2)})


class Image(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.observation_space = spaces.Box(-1, 1, shape=(3, 3), dtype=np.float32)


class TooShort(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.timing = {"stimulus": 5, "wait": 0, "answer": 5}


class Endless(Echo):
    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.tmax = 10**12
        return trial


class NeverEnds(Echo):
    """Shows nothing, asks for nothing, pays nothing, for ever, unless action 2 ends it."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.tmax = 10**12
        return trial

    def _step(self, action: int) -> Any:
        return np.zeros(3), 0.0, False, False, {"new_trial": action == 2, "gt": 0}


class RaisesInMidTrial(Echo):
    def _step(self, action: int) -> Any:
        if self.t_ind == 7 and action == 2:
            raise RuntimeError("the lever broke")
        return super()._step(action)


class PaysNanInMidTrial(Echo):
    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        broken = self.t_ind == 7 and action == 2
        return (shown, float("nan") if broken else reward, *rest)


class RaisesAtTimes(Echo):
    """One trial in so many cannot be drawn."""

    def __init__(self, dt: int = 20, one_in: int = 200) -> None:
        super().__init__(dt)
        self.one_in = one_in

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        if self.rng.randint(self.one_in) == 0:
            raise RuntimeError("out of luck")
        return super()._new_trial(**kwargs)


class RaisesInStepsAtTimes(Echo):
    """In one trial of so many, an answer breaks the lever."""

    def __init__(self, dt: int = 20, one_in: int = 200) -> None:
        super().__init__(dt)
        self.one_in = one_in

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        brittle = self.rng.randint(self.one_in) == 0
        return {**super()._new_trial(**kwargs), "brittle": brittle}

    def _step(self, action: int) -> Any:
        assert self.trial is not None
        if self.trial["brittle"] and self.in_period("answer") and action == 1:
            raise RuntimeError("the lever broke")
        return super()._step(action)


class RandomAndRaising(RaisesAtTimes):
    """Steps draw too, so it must be stepped."""

    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        return (shown, reward * self.rng.rand(), *rest)


class RaisesWhenDrawn(Echo):
    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        if self.num_tr == 3:
            raise RuntimeError("out of stimuli")
        return super()._new_trial(**kwargs)


class ShowsNan(Echo):
    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.add_ob(np.nan, "wait")
        return trial


class PaysNan(Echo):
    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        return (shown, float("nan") if action == 2 else reward, *rest)


class Grows(Echo):
    ob: Any

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        if self.num_tr > 2:
            self.ob = np.concatenate([self.ob, self.ob[:, :1]], axis=1)
        return trial


class GoesOnUnseen(Echo):
    """Observations are made for half of the trial; what follows is made up on the way."""

    ob: Any

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.ob = self.ob[:8]
        return trial

    def _step(self, action: int) -> Any:
        _, *rest = super()._step(action)
        return (self.ob[min(self.t_ind + 1, 7)], *rest)


class Terminates(Echo):
    def _step(self, action: int) -> Any:
        shown, reward, _, truncated, info = super()._step(action)
        return shown, reward, action == 1, truncated, info


class ShowsItsAction(Echo):
    def _step(self, action: int) -> Any:
        _, *rest = super()._step(action)
        return (np.full(3, action, dtype=np.float32), *rest)


class RemembersInAttribute(Echo):
    """Pays only who chose 1 while waiting; the memory is wiped when the trial ends."""

    chosen = False

    def _step(self, action: int) -> Any:
        shown, reward, terminated, truncated, info = super()._step(action)
        if self.in_period("wait"):
            self.chosen = action == 1
        if info["new_trial"]:
            reward, self.chosen = reward * self.chosen, False
        return shown, reward, terminated, truncated, info


class RemembersInList(Echo):
    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.history: list[int] = []

    def _step(self, action: int) -> Any:
        self.history.append(action)
        return super()._step(action)


class RemembersInClass(Echo):
    def _step(self, action: int) -> Any:
        type(self).count_in_class.append(action)
        return super()._step(action)


class PaysByChance(Echo):
    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        return (shown, reward * self.rng.randint(2), *rest)


class PaysByNormal(Echo):
    """Draws half of a pair of legacy normals, once in a trial."""

    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        if action == 1 and reward > 0:
            reward += self.rng.randn()
        return (shown, reward, *rest)


class PaysByGlobalChance(Echo):
    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        return (shown, reward * np.random.rand(), *rest)


class Staircase(Echo):
    """The next trial is noisier after a correct answer."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        if self.performance:
            self.add_randn(0, 1, "stimulus")
        return trial

    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        self.performance = int(reward == 1.0)
        return (shown, reward, *rest)


class AsksForTheImpossible(Echo):
    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.set_groundtruth(3, "answer")
        return trial


class DrawsFromTheClock(Echo):
    """Two instances never draw the same."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.ob[0, 0] = np.frombuffer(__import__("os").urandom(2), dtype=np.uint16)[0]
        return trial


class NoStepOfItsOwn(Echo):
    """Takes no dt, so that its step is the one of NeuroGym."""

    def __init__(self) -> None:
        super().__init__(dt=100)


class DrawsInConstructor(Echo):
    """Which bit means what is drawn when the task is made."""

    def __init__(self, dt: int = 20) -> None:
        super().__init__(dt)
        self.meaning = self.rng.permutation(50)

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        self.ob[0] = self.meaning[:3]
        return trial


class PaysByStep(Echo):
    """Later is worth less: the steps of a period do not pay alike."""

    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        return (shown, reward * 0.9**self.t_ind, *rest)


class PaysRarely(Echo):
    """In the sixth trial only, one step in the middle of the wait pays for action 0."""

    def _step(self, action: int) -> Any:
        shown, reward, *rest = super()._step(action)
        rare = self.num_tr % 2 == 0 and self.num_tr > 5 and self.t_ind >= 9 and action == 0
        return (shown, reward + rare, *rest)


class AssignsGroundTruth(Echo):
    """Assigns its arrays, as tasks did before there was set_groundtruth."""

    gt: Any
    ob: Any

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        bit = int(self.rng.randint(2))
        self.add_period(list(self.timing))
        self.ob = np.zeros((15, 3), dtype=np.float32)
        self.ob[:5, 1 + bit] = 1
        self.gt = np.zeros(15, dtype=int)
        self.gt[10:] = 1 + bit
        return {"bit": bit}


class AssignsLists(AssignsGroundTruth):
    """No periods, no arrays: lists, and an end of its own."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        bit = int(self.rng.randint(2))
        self.ob = [[0, bit == 0, bit == 1]] * 5 + [[0, 0, 0]] * 10
        self.gt = [0] * 10 + [1 + bit] * 5
        return {"bit": bit}

    def _step(self, action: int) -> Any:
        over = self.t_ind >= 10 and action != 0
        reward = float(over and action == self.gt_now)
        return self.ob_now, reward, False, False, {"new_trial": over or self.t_ind == 14}


class AsksByProperty(AssignsGroundTruth):
    """Keeps no ground truth, it knows at each step."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        trial = super()._new_trial(**kwargs)
        del self.gt
        return trial

    @property
    def gt_now(self) -> int:
        assert self.trial is not None
        return 1 + int(self.trial["bit"]) if self.in_period("answer") else 0


class AsksAfterwards(AsksByProperty):
    """Says what would have been right in `info` alone."""

    gt_now = TrialEnv.gt_now

    def _step(self, action: int) -> Any:
        assert self.trial is not None
        due = self.in_period("answer")
        right = 1 + int(self.trial["bit"]) if due else 0
        over = due and action != 0
        return (
            self.ob_now,
            float(over and action == right),
            False,
            False,
            {
                "new_trial": over,
                "gt": right,
            },
        )


class AsksAtTimes(Echo):
    """Every second trial has no ground truth; the array of the one before still lies there."""

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        if self.num_tr % 2 == 0:
            return super()._new_trial(**kwargs)
        self.add_period(list(self.timing))
        self.add_ob(1, "stimulus", where=0)
        return {"bit": 0}


class AsksForOwnNumber(Echo):
    """`gt` is something else here: no word on each step."""

    gt: Any

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        self.add_period(list(self.timing))
        self.gt = int(self.rng.randint(2))
        self.add_ob(1, "stimulus", where=1 + self.gt)
        return {}

    def _step(self, action: int) -> Any:
        over = self.in_period("answer") and action != 0
        return self.ob_now, float(over), False, False, {"new_trial": over, "gt": 0}
