"""The leakage check: whether two tasks ask the same, apart from names and which line carries what.

Tasks of fixed timing are finite mappings, compared as such. Self-paced tasks: copies of a task draw
the same trials from the same seed. So the same observations, whatever the order, scale and sign of
the channels, with the same answers under other numbers, are the same task to whoever learns; one
that acts exactly where the other holds still is its negation. Rewards do not enter where there are
answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from itertools import permutations
from typing import NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import OVER_RIGHT
from evoplastic.types import NO_TARGET, Float32Array, Int64Array
from tasks.baselines.levels import chance

HOLD_ACTION = 0  # NeuroGym's convention: the first action is to do nothing
ALIKE = 0.999  # correlation of channels that show the same
MAX_EXCHANGED = 5  # actions of a state machine whose exchanges are all tried


NEGATED = tuple(
    f"the same with {what} exchanged" for what in ("the responses", "actions", "acting and holding")
)


Found = TypeVar("Found")


def known_of_each(find: Callable[[TrialTable], Found]) -> Callable[[TrialTable], Found]:
    """Find it once for each table, as long as the table is there: a suite compares all pairs."""
    known: WeakKeyDictionary[TrialTable, Found] = WeakKeyDictionary()

    @wraps(find)
    def found(table: TrialTable) -> Found:
        if table not in known:
            known[table] = find(table)
        return known[table]

    return found


class Chains(NamedTuple):
    """Trials in which each step leads to one next step, whatever the action, or ends."""

    state_MT: Int64Array  # -1 beyond the end
    answer_M: Int64Array  # action that ends the trial well, NO_TARGET = none

    @property
    def state_S(self) -> Int64Array:
        """All states in the order of trials and steps."""
        return self.state_MT[self.state_MT >= 0]


@known_of_each
def chains(bank: TrialTable) -> Chains | None:
    """The trials of a bank as chains of states; None for a state machine."""
    onward_V = bank.next_VO.max(axis=1).astype(np.int64)
    if ((bank.next_VO >= 0) & (bank.next_VO != onward_V[:, None])).any():
        return None
    steps = [bank.first_M]
    while (steps[-1] >= 0).any():
        steps.append(np.where(steps[-1] >= 0, np.maximum(onward_V[steps[-1]], -1), -1))
    state_MT = np.stack(steps[:-1], axis=1)
    right_V = np.where(
        (bank.next_VO == OVER_RIGHT).any(axis=1),
        (bank.next_VO == OVER_RIGHT).argmax(axis=1),
        NO_TARGET,
    )
    answer_MT = np.where(state_MT >= 0, right_V[state_MT], NO_TARGET)
    return Chains(state_MT, answer_MT.max(axis=1))


def same_question(first: TrialTable, second: TrialTable) -> str | None:
    """How two samples, drawn from one seed, ask the same; None if they do not.

    "the same", or "the same with ... exchanged": channels, actions, acting and holding.
    """
    if first.timing is not None or second.timing is not None:
        return _same_mapping(first, second) if first.timing == second.timing else None
    if len(first.first_M) != len(second.first_M):
        return None
    one, other = chains(first), chains(second)
    if one is None or other is None:
        return _same_machine(first, second) if one is None and other is None else None
    if (
        one.state_MT.shape != other.state_MT.shape
        or ((one.state_MT < 0) != (other.state_MT < 0)).any()
    ):
        return None
    answers = _exchanged_answers(first, second, one, other)
    if answers is None:
        return None
    channels = _exchanged_channels(first, second, one.state_S, other.state_S)
    return _in_words([answers, channels])


def negated(first: TrialTable, second: TrialTable) -> bool:
    """Whether two samples, drawn from one seed, show the same and want other answers.

    A network that gives one of the two answers always, whatever it has learned, is right in one
    task where it is wrong in the other, so its mean over both says nothing.
    """
    return same_question(first, second) in NEGATED


def _in_words(exchanged: list[str | None]) -> str | None:
    """Each entry says what is exchanged, "" for nothing, None where two tasks differ."""
    if None in exchanged:
        return None
    words = " and ".join(word for word in exchanged if word)
    return f"the same with {words} exchanged" if words else "the same"


def _exchanged_answers(
    first: TrialTable, second: TrialTable, one: Chains, other: Chains
) -> str | None:
    """ "" for the same answers, else what is exchanged; None for another question."""
    a_M, b_M = one.answer_M, other.answer_M
    if ((a_M == NO_TARGET) != (b_M == NO_TARGET)).any():
        return None
    has_target_M = a_M != NO_TARGET
    if not has_target_M.any():
        return _exchanged_rewards(first.reward_VO[one.state_S], second.reward_VO[other.state_S])
    if np.array_equal(a_M, b_M):
        return ""
    pairs = set(zip(a_M.tolist(), b_M.tolist(), strict=True))
    if len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}):
        return "actions"
    acts_M, other_acts_M = a_M[has_target_M] != HOLD_ACTION, b_M[has_target_M] != HOLD_ACTION
    opposite = bool((acts_M != other_acts_M).all()) and acts_M.any() and not acts_M.all()
    return "acting and holding" if opposite else None


def _exchanged_rewards(a_SO: NDArray[np.float32], b_SO: NDArray[np.float32]) -> str | None:
    if a_SO.shape != b_SO.shape:
        return None
    if np.array_equal(a_SO, b_SO):
        return ""
    same = sorted(column.tobytes() for column in a_SO.T) == sorted(
        column.tobytes() for column in b_SO.T
    )
    return "actions" if same else None


def _exchanged_channels(
    first: TrialTable, second: TrialTable, a_S: Int64Array, b_S: Int64Array
) -> str | None:
    """ "" for the same observations, "channels" for those in another order, scale or sign."""
    a_SI, b_SI = first.observation_VI[a_S], second.observation_VI[b_S]
    if a_SI.shape == b_SI.shape and np.array_equal(a_SI, b_SI):
        return ""
    a_SJ, b_SJ = _standardised(a_SI), _standardised(b_SI)
    if a_SJ.shape != b_SJ.shape:
        return None
    alike_JJ = np.abs(a_SJ.T @ b_SJ) / len(a_SJ)
    for alike_J in alike_JJ:
        best = int(alike_J.argmax())
        if alike_J[best] < ALIKE:
            return None
        alike_JJ[:, best] = 0.0  # each channel has one partner
    return "channels"


def _standardised(shown_SI: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean 0 and deviation 1, without the channels that never change."""
    deviation_I = shown_SI.std(axis=0, dtype=np.float64)
    varies_SI = shown_SI[:, deviation_I > 1e-9].astype(np.float64)
    return np.asarray((varies_SI - varies_SI.mean(axis=0)) / varies_SI.std(axis=0))


def _same_machine(first: TrialTable, second: TrialTable) -> str | None:
    """State machines: walk both along the same actions, for each way to exchange actions."""
    O = first.reward_VO.shape[1]
    paid, other_paid = _at_random(first), _at_random(second)
    if second.reward_VO.shape[1] != O or not math.isclose(paid, other_paid, abs_tol=1e-9):
        return None
    for order in permutations(range(O)) if O <= MAX_EXCHANGED else [tuple(range(O))]:
        order_O = np.array(order, dtype=np.int64)
        walked = _walk_together(first, second, order_O)
        if walked is None:
            continue
        channels = _exchanged_channels(first, second, *walked)
        if channels is not None:
            actions = "" if np.array_equal(order_O, np.arange(O)) else "actions"
            return _in_words([actions, channels])
    return None


@known_of_each
def _at_random(bank: TrialTable) -> float:
    """Reward of a trial if any action is taken: the same whatever actions are called, and cheaper
    to compare than a walk."""
    return chance(bank).reward


def _walk_together(
    first: TrialTable, second: TrialTable, order_O: Int64Array
) -> tuple[Int64Array, Int64Array] | None:
    """Pairs of states that two machines are at together; None once they pay or end differently.

    Action o of the first is action order_O[o] of the second.
    """
    partner_V = np.full(len(first.next_VO), -1, dtype=np.int64)
    a_X, b_X = first.first_M, second.first_M
    while len(a_X):
        a_X, at = np.unique(a_X, return_index=True)
        b_X = b_X[at]
        known_X = partner_V[a_X] >= 0
        if (partner_V[a_X][known_X] != b_X[known_X]).any():
            return None
        a_X, b_X = a_X[~known_X], b_X[~known_X]
        partner_V[a_X] = b_X
        a_next_XO, b_next_XO = first.next_VO[a_X], second.next_VO[b_X][:, order_O]
        same_reward = np.array_equal(first.reward_VO[a_X], second.reward_VO[b_X][:, order_O])
        if not same_reward or (np.minimum(a_next_XO, 0) != np.minimum(b_next_XO, 0)).any():
            return None
        onward_XO = a_next_XO >= 0
        a_X, b_X = a_next_XO[onward_XO].astype(np.int64), b_next_XO[onward_XO].astype(np.int64)
    reached_S = np.flatnonzero(partner_V >= 0)
    return reached_S, partner_V[reached_S]


def _same_mapping(first: TrialTable, second: TrialTable) -> str | None:
    """Fixed timing: "the same", "the same with the responses exchanged", or None.

    A task asks: for this stimulus, that target. Order, repetition, reward and name do not matter.
    Exchanged responses (for two actions: the negation) are the same columns of targets in another
    order; whoever has learned one task has learned the other.
    """
    stimulus_MX, target_MO = _question(first)
    other_stimulus_MX, other_target_MO = _question(second)
    if target_MO.shape != other_target_MO.shape or not np.array_equal(
        stimulus_MX, other_stimulus_MX
    ):
        return None
    if np.array_equal(target_MO, other_target_MO):
        return "the same"
    if np.array_equal(_sorted_columns(target_MO), _sorted_columns(other_target_MO)):
        return "the same with the responses exchanged"
    return None


@known_of_each
def _question(bank: TrialTable) -> tuple[Float32Array, Float32Array]:
    """Each different stimulus once, in a fixed order, with its mean target."""
    entries = len(bank.kind_M)
    stimulus_MX, which = np.unique(
        bank.fixed.stimulus_MTI.reshape(entries, -1), axis=0, return_inverse=True
    )
    count = np.bincount(which)
    target_MO = np.stack(
        [np.bincount(which, weights=column_M) / count for column_M in bank.fixed.target_MO.T],
        axis=1,
    )
    return stimulus_MX, target_MO.astype(np.float32)


def _sorted_columns(target_MO: Float32Array) -> Float32Array:
    """The response columns in an order of their own, so that exchanged responses look alike."""
    return target_MO[:, np.lexsort(target_MO)]
