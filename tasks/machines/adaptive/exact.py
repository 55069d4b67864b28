"""The best adaptive policy, exactly: dynamic programming over what can be known.

At each step of each trial somebody knows the state, and of the variables a posterior. That is held
as a set of hypotheses not ruled out, and counts of the kinds of evidence that only weigh: rewards
whose likelihoods are in the same proportions are one kind. Where counts and sets are the same,
so is what can be expected:

    V(k, t, s, f, b) = max over o of  sum over s', r of  P(s', r | s, o, f, b) (r + V(next))

with next the same trial's step t + 1, or the first step of trial k + 1.

Source: Kaelbling, Littman and Cassandra 1998 (belief states); for two Bernoulli arms Gittins 1979.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from evoplastic.types import Int64Array
from tasks.machines.adaptive.hypotheses import Float64Array, Hypotheses, count, hypotheses
from tasks.machines.rules import Rules
from tasks.machines.state_machine import StateMachine, StateVariable, StimulusVariable

MOST_NODES = 600_000
MOST_HYPOTHESES = 1000
MOST_IN_SET = 62  # bits of a set
ROWS = 4096  # of posteriors at a time
IMPOSSIBLE = 1e-12
STATE, FLAG, SET = 0, 1, 2  # columns of a node; counts follow


class Outcome(NamedTuple):
    """What may follow from an action, and what it tells."""

    new: int
    flag: int
    over: bool
    reward: float
    likelihood_H: Float64Array  # with the chance of coming there
    keeps: int  # set of hypotheses that it does not rule out
    kind: int  # of weighing evidence; -1 = none


class Lead(NamedTuple):
    """Nodes of a layer, what one outcome of one action pays them, and where it leads."""

    node_N: Int64Array
    action: int
    reward: float
    chance_N: Float64Array
    layer: int  # -1 = the instance is over
    offset: int


def exact_adaptive(machine: StateMachine, most_nodes: int = MOST_NODES) -> float | None:
    """Mean reward per trial of an instance under the best adaptive policy.

    None where that takes more than `most_nodes`, or where what is shown does not tell state and
    flag.
    """
    evidence = machine.instance_trials * machine.num_steps
    nodes = evidence // 2 + 2 if machine.probability_ranges else 1
    if count(machine, nodes) > MOST_HYPOTHESES or not _is_told(machine):
        return None
    known = hypotheses(machine, nodes)
    likelihood = known.likelihood_HSOSFR
    if len(known.prior_H) > MOST_IN_SET and bool(((likelihood > 0) != (likelihood[:1] > 0)).any()):
        return None  # something would be ruled out, of more hypotheses than a set holds
    outcomes, kinds = _outcomes(machine, known)
    total = _Tree(machine, known, outcomes, kinds).value(most_nodes)
    return None if total is None else total / machine.instance_trials


def _is_told(machine: StateMachine) -> bool:
    """Whether variables stay, and state and flag can be known."""
    varies = any(isinstance(each, StimulusVariable) for each in machine.stimuli)
    hidden = any(
        isinstance(s, StateVariable) for rule in machine.flags for s in (rule.old, rule.new)
    )
    shown = [
        tuple(machine.code_YI[each].tolist()) if isinstance(each, int) else None
        for state, each in enumerate(machine.stimuli)
        if state not in machine.ends
    ]
    switches = machine.switch > 0 and bool(machine.state_ranges)
    return not varies and not hidden and not switches and len(set(shown)) == len(shown)


def _outcomes(
    machine: StateMachine, known: Hypotheses
) -> tuple[dict[tuple[int, int, int], list[Outcome]], Float64Array]:
    """Outcomes by state, flag and action; and the log likelihood of each kind of evidence."""
    kinds: dict[bytes, int] = {}
    logs: list[Float64Array] = []
    found: dict[tuple[int, int, int], list[Outcome]] = {}
    rules: Rules = known.rules
    for s, o, new in np.argwhere(machine.transition_SOS > 0).tolist():
        for f in range(2 if machine.flags else 1):
            for over in (False, True):
                for r, reward in enumerate(known.reward_R):
                    plain_H = known.likelihood_HSOSFR[:, s, o, new, f, r]
                    plain_H = plain_H * (rules.ends_WS[:, new] == over)
                    if not plain_H.any():
                        continue
                    possible_H = plain_H > 0
                    weight_H = np.where(possible_H, plain_H / plain_H.max(), 1.0)
                    kind = -1
                    if np.ptp(weight_H[possible_H]) > IMPOSSIBLE:
                        key = weight_H.round(12).tobytes()
                        kind = kinds.setdefault(key, len(kinds))
                        if kind == len(logs):
                            logs.append(np.log(weight_H))
                    found.setdefault((s, f, o), []).append(
                        Outcome(
                            new=new,
                            flag=int(rules.flag_WSOSF[0, s, o, new, f]),
                            over=over,
                            reward=float(reward),
                            likelihood_H=plain_H * machine.transition_SOS[s, o, new],
                            keeps=_as_set(possible_H),
                            kind=kind,
                        )
                    )
    H = len(known.prior_H)
    return found, np.array(logs).reshape(len(logs), H)


def _as_set(possible_H: np.ndarray) -> int:
    if possible_H.all():
        return -1
    assert len(possible_H) <= MOST_IN_SET, "more hypotheses than a set holds"
    return sum(1 << h for h in np.flatnonzero(possible_H).tolist())


class _Tree:
    """All that can be known at each step of each trial, layer by layer, and what it is worth."""

    def __init__(
        self,
        machine: StateMachine,
        known: Hypotheses,
        outcomes: dict[tuple[int, int, int], list[Outcome]],
        log_KH: Float64Array,
    ) -> None:
        self.machine, self.outcomes, self.log_KH = machine, outcomes, log_KH
        self.prior_H = known.prior_H
        self.rows: dict[int, list[Int64Array]] = {}  # that lead to a layer, as they come
        self.size: dict[int, int] = {}

    def value(self, most_nodes: int) -> float | None:
        """Expected reward of an instance; None where it takes more nodes."""
        T, K = self.machine.num_steps, self.machine.instance_trials
        H, kinds = len(self.prior_H), len(self.log_KH)
        everything = (1 << H) - 1 if H <= MOST_IN_SET else -1
        self._add(0, np.array([[0, 0, everything, *([0] * kinds)]], dtype=np.int64))
        leads: list[list[Lead]] = []
        where: list[Int64Array] = []  # the node of each row that leads to a layer
        total = 0
        for layer in range(K * T):
            node_NX, place = self._nodes(layer)
            where.append(place)
            total += len(node_NX)
            if total > most_nodes:
                return None
            leads.append(list(self._leads(layer, node_NX)) if len(node_NX) else [])
        worth: dict[int, Float64Array] = {}
        for layer in reversed(range(K * T)):
            size = int(where[layer].max(initial=-1)) + 1
            quality_NO = np.zeros((size, self.machine.num_actions))
            for lead in leads[layer]:
                later: Float64Array | float = 0.0
                if lead.layer >= 0:
                    rows = slice(lead.offset, lead.offset + len(lead.node_N))
                    later = worth[lead.layer][where[lead.layer][rows]]
                quality_NO[lead.node_N, lead.action] += lead.chance_N * (lead.reward + later)
            worth[layer] = quality_NO.max(axis=1)
        return float(worth[0][0])

    def _add(self, layer: int, row_NX: Int64Array) -> int:
        """Note rows that lead to a layer; where they begin among all that do."""
        offset = self.size.get(layer, 0)
        self.rows.setdefault(layer, []).append(row_NX)
        self.size[layer] = offset + len(row_NX)
        return offset

    def _nodes(self, layer: int) -> tuple[Int64Array, Int64Array]:
        rows = self.rows.pop(layer, [])
        if not rows:
            width = 3 + len(self.log_KH)
            return np.zeros((0, width), dtype=np.int64), np.zeros(0, dtype=np.int64)
        node_NX, place = np.unique(np.concatenate(rows), axis=0, return_inverse=True)
        return node_NX, place.reshape(-1)

    def _leads(self, layer: int, node_NX: Int64Array) -> Iterator[Lead]:
        T, K = self.machine.num_steps, self.machine.instance_trials
        trial, step = divmod(layer, T)
        for s, f in np.unique(node_NX[:, [STATE, FLAG]], axis=0).tolist():
            here_N = np.flatnonzero((node_NX[:, STATE] == s) & (node_NX[:, FLAG] == f))
            options = [
                (o, outcome)
                for o in range(self.machine.num_actions)
                for outcome in self.outcomes[s, f, o]
            ]
            chance_NJ = self._chances(node_NX[here_N], [each for _, each in options])
            for j, (o, outcome) in enumerate(options):
                likely = chance_NJ[:, j] > IMPOSSIBLE
                if not likely.any():
                    continue
                over = outcome.over or step + 1 == T
                follows = (trial + 1) * T if over else layer + 1
                follows = -1 if over and trial + 1 == K else follows
                offset = 0
                if follows >= 0:
                    rows = self._told(node_NX[here_N[likely]], outcome)
                    rows[:, STATE] = 0 if over else outcome.new
                    rows[:, FLAG] = 0 if over else outcome.flag
                    offset = self._add(follows, rows)
                yield Lead(here_N[likely], o, outcome.reward, chance_NJ[likely, j], follows, offset)

    def _chances(self, node_NX: Int64Array, outcomes: list[Outcome]) -> Float64Array:
        """Of each outcome, given what a node knows."""
        likelihood_HJ = np.stack([each.likelihood_H for each in outcomes], axis=1)
        parts = []
        for first in range(0, len(node_NX), ROWS):
            some_NX = node_NX[first : first + ROWS]
            log_NH = some_NX[:, SET + 1 :] @ self.log_KH
            post_NH = self.prior_H * np.exp(
                log_NH - log_NH.max(axis=1, keepdims=True, initial=-1e9)
            )
            if len(self.prior_H) <= MOST_IN_SET:
                post_NH = post_NH * ((some_NX[:, SET, None] >> np.arange(len(self.prior_H))) & 1)
            parts.append(post_NH @ likelihood_HJ / post_NH.sum(axis=1, keepdims=True))
        return np.concatenate(parts)

    def _told(self, node_NX: Int64Array, outcome: Outcome) -> Int64Array:
        """What is known after an outcome; of a single hypothesis evidence says nothing more."""
        row_NX = node_NX.copy()
        if outcome.keeps != -1:
            row_NX[:, SET] &= outcome.keeps
        if outcome.kind >= 0:
            row_NX[:, SET + 1 + outcome.kind] += 1
        if len(self.prior_H) <= MOST_IN_SET:
            single = (row_NX[:, SET] & (row_NX[:, SET] - 1)) == 0
            row_NX[single, SET + 1 :] = 0
        return row_NX
