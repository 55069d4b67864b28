"""Point or hold still, as the modality of the stimulus says; interface of Yang et al. (2019).

    env = neurogym.make("evoplastic/GoOrHold-v0", go_modality=2, delay_ms=500)

Their matching tasks ask to hold still in half of the trials, and no task of another family does.
Here it is asked of one stimulus, without anything to compare.
"""

from __future__ import annotations

from typing import Any, ClassVar

import neurogym
import numpy as np
from neurogym.core import TrialEnv
from neurogym.utils import spaces

from evoplastic.checks import require, require_known

GO_OR_HOLD = "evoplastic/GoOrHold-v0"
MODALITIES = (1, 2)
STRENGTH, WIDTH = 0.8, np.pi / 8  # of a stimulus, in the directions around it: as in yang19
HOLD = 0  # the action
PERIODS = ["fixation", "stimulus", "delay", "decision"]
REWARDS = {"abort": -0.1, "correct": 1.0, "fail": 0.0}  # those of yang19


class GoOrHold(TrialEnv):
    """Point to the stimulus if it comes in one modality, hold still if it comes in the other.

    A direction and a modality are drawn for each trial. The fixation line is on until an answer is
    due; rewards are those of yang19, where to hold still pays nothing.

    Args:
        dt: step in ms.
        dim_ring: directions on the circle.
        go_modality: 1 or 2, that of the stimuli to point to.
        delay_ms: from the end of the stimulus to the decision.
        rewards: what a choice before the stimulus (abort), a right and a wrong one pay.
        timing: durations of the periods in ms.

    Raises:
        UsageError: another modality, fewer than two directions, a negative delay, a reward or
            period of another name.

    Source: the c-reaction of Donders 1868, "On the speed of mental processes".
    """

    metadata: ClassVar[dict[str, Any]] = {
        "paper_link": "https://doi.org/10.1016/0001-6918(69)90065-1",
        "paper_name": "On the speed of mental processes",
        "tags": ["perceptual", "go-no-go", "steps action space"],
    }

    def __init__(
        self,
        dt: int = 20,
        dim_ring: int = 16,
        go_modality: int = 1,
        delay_ms: float = 0,
        rewards: dict[str, float] | None = None,
        timing: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(dt=dt)
        require(
            go_modality in MODALITIES and not isinstance(go_modality, bool),
            f"go_modality is {go_modality!r}, expected one of {MODALITIES}",
        )
        require(
            isinstance(dim_ring, int) and dim_ring >= 2,
            f"dim_ring is {dim_ring!r}, expected a whole number of directions, 2 or more",
        )
        require(
            isinstance(delay_ms, int | float) and delay_ms >= 0,
            f"delay_ms is {delay_ms!r}, expected 0 or more",
        )
        for name in rewards or {}:
            require_known("reward of GoOrHold", name, REWARDS)
        for name in timing or {}:
            require_known("period of GoOrHold", name, PERIODS)
        self.go_modality = go_modality
        self.rewards = REWARDS | (rewards or {})
        self.timing = {"fixation": 500, "stimulus": 500, "delay": delay_ms, "decision": 500}
        self.timing.update(timing or {})
        self.theta = np.arange(dim_ring) * 2 * np.pi / dim_ring
        lines = {
            "fixation": 0,
            "stimulus_mod1": range(1, dim_ring + 1),
            "stimulus_mod2": range(dim_ring + 1, 2 * dim_ring + 1),
        }
        self.observation_space = spaces.Box(
            -np.inf, np.inf, shape=(1 + 2 * dim_ring,), dtype=np.float32, name=lines
        )
        choices = {"fixation": HOLD, "choice": range(1, dim_ring + 1)}
        self.action_space = spaces.Discrete(1 + dim_ring, name=choices)

    def _new_trial(self, **given: Any) -> dict[str, Any]:
        """Draw a direction and a modality, and lay out the trial."""
        trial = {
            "direction": int(self.rng.choice(len(self.theta))),
            "modality": int(self.rng.choice(MODALITIES)),
            **given,
        }
        self.add_period(PERIODS)
        self.add_ob(1, period=["fixation", "stimulus", "delay"], where="fixation")
        away = np.abs(self.theta - self.theta[trial["direction"]])
        around = np.minimum(away, 2 * np.pi - away) / WIDTH
        bump = STRENGTH * np.exp(-(around**2) / 2)
        self.add_ob(bump, "stimulus", where=f"stimulus_mod{trial['modality']}")
        if trial["modality"] == self.go_modality:
            self.set_groundtruth(trial["direction"], period="decision", where="choice")
        else:
            self.set_groundtruth(HOLD, period="decision")
        return trial

    def _step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """A choice in the decision period ends the trial, one before the stimulus costs."""
        reward, over = 0.0, False
        if self.in_period("fixation") and action != HOLD:
            reward = self.rewards["abort"]
        elif self.in_period("decision") and action != HOLD:
            over = True
            right = action == self.gt_now
            reward = self.rewards["correct" if right else "fail"]
            self.performance = int(right)
        return self.ob_now, reward, False, False, {"new_trial": over, "gt": self.gt_now}


neurogym.register(id_=GO_OR_HOLD, entry_point="tasks.neurogym.go_or_hold:GoOrHold")
