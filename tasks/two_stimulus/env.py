"""The two-stimulus tasks as NeuroGym environments, one registered id per task.

    env = neurogym.make("evoplastic/TwoStimulus-dms-v0", table="intended")

Importing this module registers the ids; it imports NeuroGym, which takes seconds, so nothing that
must start fast imports it. The data are those of `tasks.two_stimulus.task`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import neurogym
import numpy as np
from neurogym.core import TrialEnv
from neurogym.utils import spaces

from evoplastic.checks import EnvironmentFault, require, require_known
from evoplastic.trials.table import TrialTable, fixed_timing_table
from evoplastic.trials.timing import TrialTiming
from tasks.two_stimulus.listed import DT_MS
from tasks.two_stimulus.task import (
    CONDITIONS,
    NAMES,
    NUM_ACTIONS,
    NUM_LINES,
    PERIODS_MS,
    stimulus_lines,
    truth_table,
)

ENTRY_POINT = "tasks.two_stimulus.env:TwoStimulusEnv"


class TwoStimulusEnv(TrialEnv):
    """Two bits are shown one after the other; the correct action is a Boolean function of both.

    Correct action by (stimulus1, stimulus2), in the order 00 01 10 11:

        and 0001    nand 1110    01 0100    anti01 1011    10 0010    anti10 1101
        watchstim1 0011    antiwatchstim1 1100    watchstim2 0101    antiwatchstim2 1010
        or 0111    nor 1000    dms 1001    dnms 0110

    and with table="published" anti10 0010, nor 1101 (see `tasks.two_stimulus.task`).

    A stimulus is +-1 on two opposed lines. A trial lasts 1000 ms. The answer is the action
    of the last step of the response period: only then is the response window over, and the reward
    is 1 if it is correct, else 0; no other step gives a reward. Ground truth is set throughout the
    response period; elsewhere it is 0 and means nothing, since there is no target.

    Args:
        task: one of the 14 names.
        table: "intended" or "published".
        dt: step in ms; must divide every period.
        answer_ends_trial: whether a trial is over with its answer, after 700 ms. A self-paced
            trial is judged by the action that ends it, so suites of such trials want it.

    Raises:
        UsageError: unknown task or table, or a step that does not divide the periods.

    Source: Miconi (2023), ICML, PMLR 202:24756, and its code.
    """

    metadata = {  # noqa: RUF012  # NeuroGym reads a plain class attribute
        "paper_link": "https://arxiv.org/abs/2112.08588",
        "paper_name": "Learning to acquire novel cognitive tasks with evolution, plasticity and "
        "meta-meta-learning",
        "render_modes": [],
        "tags": ["working memory", "two-alternative", "supervised"],
    }

    def __init__(
        self,
        task: str,
        table: str = "intended",
        dt: int = DT_MS,
        answer_ends_trial: bool = False,
    ) -> None:
        super().__init__(dt=dt)
        self.answer_ends_trial = answer_ends_trial
        self.actions = dict(zip(CONDITIONS, truth_table(task, table), strict=True))
        uneven = [name for name, length_ms in PERIODS_MS.items() if length_ms % dt]
        require(
            not uneven,
            f"dt = {dt} ms does not divide the periods {uneven} of task {task!r}; "
            f"use {DT_MS} ms or a divisor of it",
        )
        self.rewards = {"correct": 1.0, "fail": 0.0}
        self.timing = dict(PERIODS_MS)
        self.observation_space = spaces.Box(
            -1.0, 1.0, shape=(NUM_LINES,), dtype=np.float32, name={"stimulus": range(NUM_LINES)}
        )
        self.action_space = spaces.Discrete(NUM_ACTIONS, name={"zero": 0, "one": 1})

    def _new_trial(self, **kwargs: Any) -> dict[str, int]:
        """Draw both bits unless `stimulus1` or `stimulus2` is given."""
        for setting in kwargs:
            require_known("trial setting", setting, ("stimulus1", "stimulus2"))
        drawn = {name: int(self.rng.randint(2)) for name in ("stimulus1", "stimulus2")}
        bits = {**drawn, **kwargs}
        first, second = bits["stimulus1"], bits["stimulus2"]
        trial = {
            "stimulus1": first,
            "stimulus2": second,
            "kind": 2 * first + second,
            "ground_truth": self.actions[first, second],
        }
        self.add_period(list(self.timing))
        for period in ("stimulus1", "stimulus2"):
            self.add_ob(np.array(stimulus_lines(bits[period]), dtype=np.float32), period)
        self.set_groundtruth(trial["ground_truth"], "response")
        return trial

    def _step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, over = 0.0, False
        if self.t_ind == self.end_ind["response"] - 1:
            over = self.answer_ends_trial
            self.performance = int(action == self.gt_now)
            reward = self.rewards["correct" if self.performance else "fail"]
        return self.ob_now, reward, False, False, {"new_trial": over, "gt": self.gt_now}


def env_id(task: str) -> str:
    """The registered id of a task."""
    return f"evoplastic/TwoStimulus-{task}-v0"


def register_environments() -> None:
    """Register all ids with NeuroGym, which by itself would keep a foreign owner silently.

    Raises:
        EnvironmentFault: an id belongs to somebody else.
    """
    for name in NAMES:
        neurogym.register(id_=env_id(name), entry_point=ENTRY_POINT, kwargs={"task": name})
        owner = gymnasium.envs.registration.registry[env_id(name)]
        if owner.entry_point != ENTRY_POINT:
            raise EnvironmentFault(
                f"environment id {env_id(name)!r} is already registered to {owner.entry_point}, "
                f"expected {ENTRY_POINT}; remove the other registration"
            )


def bank_from_env(name: str, table: str = "intended") -> TrialTable:
    """Read the four trials back from the environment: what it shows, asks and really pays."""
    env = neurogym.make(env_id(name), table=table).unwrapped
    stimuli, targets, kinds = [], [], []
    for first, second in CONDITIONS:
        kinds.append(env.new_trial(stimulus1=first, stimulus2=second)["kind"])
        stimuli.append(env.ob.copy())
        targets.append(env.view_groundtruth("response").copy())
    target_MT = np.stack(targets)
    require(
        bool((target_MT == target_MT[:, :1]).all()),
        f"task {name!r} asks for several actions within one response period, expected one",
    )
    return fixed_timing_table(
        task=name,
        timing=TrialTiming(
            dt_ms=float(env.dt),
            num_steps=env.tmax // env.dt,
            response=(env.start_ind["response"], env.end_ind["response"]),
            feedback=(env.start_ind["feedback"], env.end_ind["feedback"]),
        ),
        stimulus_MTI=np.stack(stimuli),
        target_action_M=target_MT[:, 0].astype(np.int64),
        reward_MO=np.array(
            [
                [_trial_reward(env, bits, action) for action in range(env.action_space.n)]
                for bits in CONDITIONS
            ],
            dtype=np.float32,
        ),
        kind_M=np.array(kinds, dtype=np.int64),
    )


def _trial_reward(env: Any, bits: tuple[int, int], action: int) -> float:
    """What one trial pays for holding one action throughout."""
    env.new_trial(stimulus1=bits[0], stimulus2=bits[1])
    env.t = env.t_ind = 0  # new_trial leaves the clock where it was
    total, over = 0.0, False
    while not over:
        _, reward, _, _, info = env.step(action)
        total, over = total + reward, info["new_trial"]
    return total


register_environments()
