"""The levels that scores on a suite's tasks are read against."""

from __future__ import annotations

from typing import NamedTuple

from evoplastic.checks import require
from evoplastic.trials.table import TrialTable
from tasks.baselines.levels import TaskLevels, best_exchanged
from tasks.neurogym.task import LEVEL_TRIALS, SelfPacedTask
from tasks.suites import single_mapping
from tasks.suites.closeness import Closeness, closest, transfer
from tasks.suites.split import SuiteTask
from tasks.suites.streams.task import components
from tasks.suites.suite import Suite


class Levels(NamedTuple):
    """Accuracies and rewards per trial; None where there is none.

    The fixed policy is what needs no learning within the lifetime (`fixed_policy_level`), and for
    rewards the best policy that ignores what is shown but knows when an answer is due. The adaptive
    policy finds out the variables of a state machine, and what that costs is counted.
    """

    chance: float | None
    fixed_policy: float | None
    reward_chance: float | None = None
    reward_fixed_policy: float | None = None
    reward_oracle: float | None = None
    reward_adaptive: float | None = None


def levels_of(suite: Suite, task: str) -> Levels:
    """The levels of one task of a suite.

    Raises:
        UsageError: no such task in the suite, or one that cannot be used.
    """
    levels = _in_numbers(policies(suite, task), with_rewards=suite.self_paced)
    return levels._replace(
        fixed_policy=fixed_policy_level(suite, task), reward_adaptive=_adaptive(suite.task(task))
    )


def levels_of_task(task: SuiteTask) -> Levels:
    """The levels of a task outside of any suite; for fixed timing without a fixed policy, which is
    that of the training tasks.

    Raises:
        UsageError: it cannot be used at all; with the reason.
    """
    self_paced = task.pacing == "self_paced"
    levels = _in_numbers(task.levels(), with_rewards=self_paced)
    if not self_paced:
        return levels._replace(fixed_policy=None)
    return levels._replace(reward_adaptive=_adaptive(task))


def _adaptive(task: SuiteTask) -> float | None:
    """What the best adaptive policy earns in a meta-task; at least, where that is not exact."""
    found = task.best_adaptive if isinstance(task, SelfPacedTask) and task.is_meta_task else None
    return None if found is None else found.reward


def policies(suite: Suite, name: str) -> TaskLevels:
    """What simple policies reach on a task, in accuracy and in reward per trial.

    Raises:
        UsageError: no such task in the suite, or one that cannot be used.
    """
    _ = suite.sample(name)  # refuses what leaks
    levels = suite.task(name).levels()
    if not suite.exchanges_actions or suite.task(name).stepped:
        return levels
    return levels._replace(best_fixed=best_exchanged(_level_table(suite, name)))


def fixed_policy_level(suite: Suite, name: str) -> float | None:
    """Accuracy that a network reaches without learning the task; None where nothing is right.

    Fixed timing: for a training task the mean over the training tasks of the best single way to
    answer each stimulus; for a held-out task that of the training task that answers it best. Where
    cues tell the combination, a network can be born with the right answer to each training task,
    and the policies of training tasks are tried on held-out ones without regard to the cues.

    Self-paced: that of the one answer that is right most often, given whenever one is due; for a
    held-out task at least that of a simple policy learned on any training task of the same
    interface. Where actions are exchanged in each lifetime no answer can be known by birth, neither
    a fixed one nor that of another task.

    Raises:
        UsageError: no such task in the suite, or one that cannot be used.
    """
    role = suite.role(name)
    if not suite.self_paced:
        if role == "train":
            return best_single_mapping(suite)
        known = [table for task in suite.train for table in _questions(suite, task)]
        return _best_of(known, _questions(suite, suite.task(name)))
    level = policies(suite, name).best_fixed.accuracy
    if level is None or role == "train" or suite.exchanges_actions or suite.task(name).stepped:
        return level
    table = _level_table(suite, name)
    others = [transfer(table, train) for train in suite.train_samples]
    return max([level, *(other for other in others if other is not None)])


def _best_of(known: list[TrialTable], asked: list[TrialTable]) -> float:
    """Mean accuracy over tasks of policies of training tasks, one for all that show the same."""
    shown: dict[bytes, list[TrialTable]] = {}
    for table in asked:
        stimuli = sorted(stimulus.tobytes() for stimulus in table.fixed.stimulus_MTI)
        shown.setdefault(b"".join(stimuli), []).append(table)
    best = [
        max(sum(single_mapping.agreement(each, table) for table in alike) for each in known)
        for alike in shown.values()
    ]
    return sum(best) / len(asked)


def _questions(suite: Suite, task: SuiteTask) -> list[TrialTable]:
    """The samples of the tasks of a stream, or of another task, without cues."""
    return [
        suite.uncued_sample(task.name) if part is task else part.sample()
        for part in components(task)
    ]


def best_single_mapping(suite: Suite, half: int | None = None) -> float:
    """Mean accuracy over training tasks of fixed timing, or those of a half, of the best policy
    that answers each stimulus in one way.

    Raises:
        UsageError: no training task belongs to the half.
    """
    tables = [
        table
        for table, its_half in zip(suite.train_samples, suite.half_of_train, strict=True)
        if half in (None, its_half)
    ]
    require(len(tables) > 0, f"suite {suite.name!r} has no training task in half {half}")
    return single_mapping.best_single_mapping(tables)


def closest_train(suite: Suite, name: str) -> Closeness | None:
    """The training task whose policy serves a self-paced task best; None if none compares.

    Raises:
        UsageError: no such task in the suite, or one that cannot be used.
    """
    others = [table for table in suite.train_samples if table.task != name]
    return closest(suite.sample(name), others) if suite.self_paced else None


def close_held_out(suite: Suite) -> tuple[tuple[str, Closeness], ...]:
    """Held-out tasks that some training task nearly answers; allowed, but worth a warning.

    Raises:
        UsageError: a task that cannot be used, or a held-out leak.
    """
    found = [(task.name, closest_train(suite, task.name)) for task in suite.held_out]
    return tuple((name, close) for name, close in found if close is not None and close.is_high)


def _level_table(suite: Suite, name: str) -> TrialTable:
    """More trials than tell tasks apart, so that shares of them are known to some percent."""
    return suite.task(name).sample(LEVEL_TRIALS)


def _in_numbers(levels: TaskLevels, *, with_rewards: bool) -> Levels:
    """Without rewards where they say the same as accuracies."""
    guessing, fixed, best = levels
    if not with_rewards:
        return Levels(guessing.accuracy, fixed.accuracy)
    # Whoever takes target actions is no oracle where there are none.
    most = None if guessing.accuracy is None else best.reward
    return Levels(guessing.accuracy, fixed.accuracy, guessing.reward, fixed.reward, most)
