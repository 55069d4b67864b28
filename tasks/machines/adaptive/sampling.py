"""A policy that finds out: what it reaches is a lower bound on the best adaptive policy.

It sees what a network sees: stimuli, rewards, ends of trials. From them it keeps, exactly, how
likely each hypothesis h is together with the state s and the flag f it may stand in,

    w'(h, s', f') = [stimulus(h, s') = seen]
                    sum over s, f of  w(h, s, f) T(s, o, s') P(r | h, s, o, s', f)

and takes the action of highest expected worth, either for a hypothesis sampled at each trial's
beginning (and again where it is ruled out), or in the mean over all of them:

    o = argmax of  sum over s, f of  w(h, s, f) Q_t(h, s, o, f)

Q is what an action is worth to somebody who knows the variables (`tasks.machines.rules`).

Source: Thompson 1933 (Biometrika 25:285); the mean is the QMDP of Littman et al. 1995.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from evoplastic.trials.table import TrialTable
from evoplastic.types import BoolArray, Int64Array
from tasks.machines.adaptive.hypotheses import Float64Array, Hypotheses, count, hypotheses
from tasks.machines.draws import draw
from tasks.machines.rules import qualities
from tasks.machines.state_machine import StateMachine, StimulusVariable
from tasks.machines.states import realise

Policy = Literal["sampled", "mean"]
NODES = 16  # values of each probability variable
MOST_HYPOTHESES = 512
MOST_CELLS = 1 << 22  # of a table of all steps


class Played(NamedTuple):
    """Mean reward per trial over instances, and its standard error."""

    reward: float
    standard_error: float


def can_play(machine: StateMachine) -> bool:
    """Whether hypotheses are few enough, and stimuli of the pool are no others."""
    H, S, O = count(machine, NODES), machine.num_states, machine.num_actions
    fixed = {each for each in machine.stimuli if isinstance(each, int)}
    drawn = any(isinstance(each, StimulusVariable) for each in machine.stimuli)
    flags = 4 if machine.flags else 1
    small = H <= MOST_HYPOTHESES and H * S * S * O * flags * len(machine.rewards) <= MOST_CELLS
    return small and not (drawn and fixed & set(machine.stimulus_pool))


def play(machine: StateMachine, policy: Policy, num_instances: int, seed: int) -> Played:
    """Play instances of the machine's own trials."""
    machine = replace(machine, dwell_steps=1)
    known = hypotheses(machine, NODES)
    draws = draw(machine, num_instances * machine.instance_trials, seed)
    total_B = _Players(machine, known, realise(machine, draws), policy, seed).total_B
    mean_B = total_B / machine.instance_trials
    return Played(float(mean_B.mean()), float(mean_B.std(ddof=1) / len(mean_B) ** 0.5))


class _Players:
    """One for each instance, B of them; all take their trials at once."""

    def __init__(
        self,
        machine: StateMachine,
        known: Hypotheses,
        bank: TrialTable,
        policy: Policy,
        seed: int,
    ) -> None:
        self.machine, self.known, self.bank, self.policy = machine, known, bank, policy
        self.rng = np.random.default_rng([seed, 77])
        self.F = 2 if machine.flags else 1
        self.quality_THSOF = qualities(machine, known.rules)[..., : self.F]
        self.step_ORHXY = _steps(machine, known, self.F)
        self.seen_V, alias_Y = _stimuli_seen(machine, bank)
        self.stimulus_HS = alias_Y[known.rules.stimulus_WS + 1]
        K = machine.instance_trials
        first_BK = bank.first_M.reshape(-1, K)
        B = len(first_BK)
        self.names_BL = np.full((B, machine.num_stimulus_variables), -1, dtype=np.int64)
        self.post_BH = np.tile(known.prior_H, (B, 1))
        self.total_B = np.zeros(B)
        for k in range(K):
            self._trial(first_BK[:, k])

    def _trial(self, node_B: Int64Array) -> None:
        S, F, H = self.machine.num_states, self.F, len(self.known.prior_H)
        B = len(node_B)
        everybody: Int64Array = np.arange(B)
        if self.machine.switch:
            moved_BH = np.zeros_like(self.post_BH)
            np.add.at(moved_BH.T, self.known.switched_H, self.post_BH.T)
            self.post_BH = (1 - self.machine.switch) * self.post_BH + self.machine.switch * moved_BH
        w_BHSF: Float64Array = np.zeros((B, H, S, F))
        w_BHSF[:, :, 0, 0] = self.post_BH
        w_BHSF *= self._shown(everybody, node_B)
        chosen_B = self._sample(w_BHSF)
        left_B = everybody
        for t in range(self.machine.num_steps):
            lost = w_BHSF[np.arange(len(left_B)), chosen_B].sum(axis=(1, 2)) <= 0
            if lost.any():
                chosen_B[lost] = self._sample(w_BHSF[lost])
            action_B = self._act(w_BHSF, chosen_B, t)
            reward_B = self.bank.reward_VO[node_B, action_B].astype(np.float64)
            self.total_B[left_B] += reward_B
            node_B = self.bank.next_VO[node_B, action_B].astype(np.int64)
            w_BHSF = self._step(w_BHSF, action_B, reward_B)
            over_B = node_B < 0
            if t + 1 < self.machine.num_steps:
                ends_HS = self.known.rules.ends_WS
                w_BHSF *= (ends_HS[None] == over_B[:, None, None])[..., None]
            self.post_BH[left_B[over_B]] = _normal(w_BHSF[over_B].sum(axis=(2, 3)))
            on = ~over_B
            w_BHSF, chosen_B, node_B, left_B = w_BHSF[on], chosen_B[on], node_B[on], left_B[on]
            if not len(left_B):
                return
            w_BHSF = w_BHSF * self._shown(left_B, node_B)
            w_BHSF /= w_BHSF.sum(axis=(1, 2, 3), keepdims=True)

    def _sample(self, w_BHSF: Float64Array) -> Int64Array:
        """A hypothesis for each, by its probability."""
        passed_BH = _normal(w_BHSF.sum(axis=(2, 3))).cumsum(axis=1)
        luck_B = self.rng.uniform(size=len(w_BHSF))
        return np.minimum((passed_BH <= luck_B[:, None]).sum(axis=1), passed_BH.shape[1] - 1)

    def _act(self, w_BHSF: Float64Array, chosen_B: Int64Array, t: int) -> Int64Array:
        if self.policy == "mean":
            worth_BO = np.einsum("bhsf,hsof->bo", w_BHSF, self.quality_THSOF[t])
        else:
            own_BSF = w_BHSF[np.arange(len(chosen_B)), chosen_B]
            worth_BO = np.einsum("bsf,bsof->bo", own_BSF, self.quality_THSOF[t][chosen_B])
        tied_BO = worth_BO >= worth_BO.max(axis=1, keepdims=True) - 1e-9
        return (tied_BO * (1 + self.rng.uniform(size=tied_BO.shape))).argmax(axis=1)

    def _step(
        self, w_BHSF: Float64Array, action_B: Int64Array, reward_B: Float64Array
    ) -> Float64Array:
        shape = w_BHSF.shape
        after_BHX = np.zeros((*shape[:2], shape[2] * shape[3]))
        before_BHX = w_BHSF.reshape(after_BHX.shape)
        paid_B = np.abs(self.known.reward_R - reward_B[:, None]).argmin(axis=1)
        for o, r in np.unique(np.stack([action_B, paid_B], axis=1), axis=0).tolist():
            here = (action_B == o) & (paid_B == r)
            moved = np.matmul(before_BHX[here].swapaxes(0, 1), self.step_ORHXY[o, r])
            after_BHX[here] = moved.swapaxes(0, 1)
        return after_BHX.reshape(shape)

    def _shown(self, players_B: Int64Array, node_B: Int64Array) -> BoolArray:
        """Whether a hypothesis shows in a state what each player sees, [B, H, S, 1]."""
        pool, seen_B = np.array(self.machine.stimulus_pool, dtype=np.int64), self.seen_V[node_B]
        meant_B = seen_B.copy()
        for b in np.flatnonzero(np.isin(seen_B, pool)) if self.names_BL.shape[1] else ():
            names_L = self.names_BL[players_B[b]]
            if seen_B[b] not in names_L:
                names_L[int((names_L >= 0).sum())] = seen_B[b]
            meant_B[b] = pool[int(np.flatnonzero(names_L == seen_B[b])[0])]
        same: BoolArray = self.stimulus_HS[None] == meant_B[:, None, None]
        return same[..., None]


def _normal(post_BH: Float64Array) -> Float64Array:
    return post_BH / post_BH.sum(axis=1, keepdims=True)


def _steps(machine: StateMachine, known: Hypotheses, F: int) -> Float64Array:
    """Chance of each next state and flag with each reward, [O, R, H, S * F, S * F]."""
    H, S, O, _, _, R = known.likelihood_HSOSFR.shape
    table = np.zeros((O, R, H, S, F, S, F))
    for f in range(F):
        part_HSOSR = known.likelihood_HSOSFR[:, :, :, :, f] * machine.transition_SOS[..., None]
        for g in range(F):
            goes_HSOS = known.rules.flag_WSOSF[..., f] == g
            chance_HSOSR = part_HSOSR * goes_HSOS[..., None]
            table[:, :, :, :, f, :, g] = chance_HSOSR.transpose(2, 4, 0, 1, 3)
    return table.reshape(O, R, H, S * F, S * F)


def _stimuli_seen(machine: StateMachine, bank: TrialTable) -> tuple[Int64Array, Int64Array]:
    """The number of the stimulus at each trial state, -1 for none; and what each is taken for, from
    none on: of those that look alike the first one."""
    code_YI = np.concatenate([np.zeros_like(bank.observation_VI[:1]), machine.code_YI])
    looks: dict[bytes, int] = {}
    alias_Y = [looks.setdefault(row.tobytes(), y) for y, row in enumerate(code_YI, start=-1)]
    seen_V = np.array([looks[row.tobytes()] for row in bank.observation_VI])
    return seen_V, np.array(alias_Y)
