"""Run trials in the real environment, step by step, and compare them with a bank.

A bank claims what each step shows and pays. Here a fresh instance with the bank's seed is stepped
under a policy, its own next trials following its own trial ends, and every observation, reward and
end is compared with the claim, bit for bit (in float32, in which the engines compute).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require
from evoplastic.trials.step_bank import StepBank
from evoplastic.trials.table import TrialTable
from evoplastic.watching import at
from tasks.neurogym.environments import TRIALS, EnvSource, isolated, refuse_raising
from tasks.neurogym.faults.raised import CODE_FAULTS, NextTrial, raised
from tasks.neurogym.faults.reporting import report
from tasks.neurogym.object_graph import trial_envs
from tasks.neurogym.refusals import Unbankable
from tasks.neurogym.trial_cells import set_clock

Policy = Callable[[TrialTable, int, int, np.random.Generator], int]  # bank, trial, state, rng


def act_at_random(bank: TrialTable, trial: int, state: int, rng: np.random.Generator) -> int:
    """Any action, anew at each step."""
    return int(rng.integers(bank.reward_VO.shape[1]))


def act_on_ground_truth(bank: TrialTable, trial: int, state: int, rng: np.random.Generator) -> int:
    """The target action; 0 where there is none."""
    return max(int(bank.target_action_V[state]), 0)


def act_constantly(bank: TrialTable, trial: int, state: int, rng: np.random.Generator) -> int:
    """One action throughout a trial, another one in the next."""
    return trial % bank.reward_VO.shape[1]


POLICIES: dict[str, Policy] = {
    "random": act_at_random,
    "ground truth": act_on_ground_truth,
    "constant": act_constantly,
}


class Visit(NamedTuple):
    """One step of a walk through a bank."""

    trial: int
    step: int  # of the trial
    state: int
    action: int


class Difference(NamedTuple):
    """Where an environment does something else than the bank says."""

    trial: int
    step: int
    what: str  # "shows", "pays" or "ends"
    came: Any  # from the environment
    expected: Any
    action: int | None = None  # None where no action was taken yet

    def __str__(self) -> str:
        after = "" if self.action is None else f", action {self.action}"
        return (
            f"trial {self.trial}, step {self.step}{after}: {self.what} {self.came}, the bank says "
            f"{self.expected}"
        )


def walk(bank: TrialTable, policy: str, seed: int, num_trials: int) -> Iterator[Visit]:
    """The table that a policy comes to in the first trials of a bank."""
    choose, rng = POLICIES[policy], np.random.default_rng(seed)
    for trial in range(num_trials):
        state, step = int(bank.first_M[trial]), 0
        while state >= 0:
            action = choose(bank, trial, state, rng)
            yield Visit(trial, step, state, action)
            state, step = int(bank.next_VO[state, action]), step + 1


def find_difference(
    source: EnvSource,
    bank: StepBank | TrialTable,
    seed: int,
    policy: str,
    num_trials: int | None = None,
) -> str | None:
    """The first step at which the environment does something else than the bank says, or None.

    Raises:
        UsageError: the environment cannot be made, or the bank has fewer trials.
    """
    found = find_differences(source, bank, seed, policy, num_trials)
    return str(found[0]) if found else None


def find_differences(
    source: EnvSource,
    bank: StepBank | TrialTable,
    seed: int,
    policy: str,
    num_trials: int | None = None,
) -> list[Difference]:
    """Every step at which the environment does something else, up to a trial that ends elsewhere.

    An environment that holds no observations (`env.ob`) does not say what it shows before its
    first step; the comparison begins with what that step shows. A trial in which a step raises is
    passed over from there on, and noted.

    Raises:
        UsageError: the environment cannot be made, or the bank has fewer trials.
    """
    table = bank.table() if isinstance(bank, StepBank) else bank
    num_trials = len(table.first_M) if num_trials is None else num_trials
    require(
        num_trials <= len(table.first_M),
        f"the bank has {len(table.first_M)} trials, {num_trials} were asked for",
    )
    found: list[Difference] = []
    top = source.make(seed)
    drawing = NextTrial(top, bank.left_out if isinstance(bank, StepBank) else ())
    for each in trial_envs(top):
        each._top = drawing
    raised_in = -1  # a trial that raised, whose rest is passed over
    with isolated(seed, TRIALS):
        shown = _begin(drawing)
        for trial, step, state, action in walk(table, policy, seed, num_trials):
            if trial == raised_in:
                continue
            if step == 0:
                at(f"comparing {source.name} with its trials ({policy})", trial, num_trials)
            expected = table.observation_VI[state]
            if shown is not None and not _same(shown, expected):
                found.append(Difference(trial, step, "shows", shown, expected))
            try:
                shown, reward, terminated, truncated, info = top.step(action)
            except CODE_FAULTS as error:
                if drawing.given_up:
                    raise Unbankable(refuse_raising(source.name, "new_trial()", error)) from error
                where = f"step({action}) at step {step}"
                report(source, seed, raised(drawing.drawn - 1, where, error))
                raised_in, shown = trial, _begin(drawing)
                continue
            shown = np.array(shown)  # a view into a buffer that will change
            paid = table.reward_VO[state, action]
            if np.float32(reward) != paid:
                found.append(Difference(trial, step, "pays", reward, paid, action))
            came = (bool(info["new_trial"]), terminated, truncated)
            over = (bool(table.next_VO[state, action] < 0), False, False)
            if came != over:
                found.append(Difference(trial, step, "ends", came, over, action))
                break
    return found


def _begin(drawing: NextTrial) -> NDArray[Any] | None:
    """Draw a trial; what it shows at first, None where only a step tells."""
    drawing.new_trial()
    env = drawing.top.unwrapped
    set_clock(env, 0, 0)  # performance too, as step() does before each further trial
    return np.array(env.ob[0]) if hasattr(env, "ob") else None


def _same(shown: NDArray[Any], expected: NDArray[np.float32]) -> bool:
    return bool(np.array_equal(shown.astype(np.float32), expected))  # zeros of either sign
