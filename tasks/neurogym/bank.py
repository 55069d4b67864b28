"""Banks of trials from any NeuroGym task, as far as the task allows it.

    bank = build_step_bank(EnvSource("yang19.dms-v0"), num_trials=500, seed=1)

A task fits into a bank when what it shows and pays depends on trial, step and action alone. No list
of ids says which tasks those are: each trial is probed (`probing.py`), and a task that does not fit
is refused with the reason (`refusals.py`).
"""

from __future__ import annotations

import numpy as np

from evoplastic.checks import require
from evoplastic.trials.step_bank import StepBank, final_answers
from evoplastic.types import NO_TARGET
from evoplastic.watching import at
from tasks.neurogym.environments import TRIALS, EnvSource, isolated
from tasks.neurogym.faults.raised import Raised, raised
from tasks.neurogym.faults.reporting import report
from tasks.neurogym.faults.share import (
    COUNTED_TRIALS,
    MOST_RAISED,
    SEED,
    Share,
    known_share,
    refuse_frequent,
    remember,
)
from tasks.neurogym.ground_truth import says_nothing
from tasks.neurogym.probing import ProbedTrial, Prober, SegmentsDiffer, segments
from tasks.neurogym.refusals import Unbankable

DEEP_EVERY = 16  # trials between two searches for state inside of attributes
THOROUGH_TRIALS = 4  # probed at every step and action before segments are trusted
VERIFIED_TRIALS = 32  # of which each segment is verified; later on one segment a trial


def build_step_bank(
    source: EnvSource, num_trials: int, seed: int, *, thorough: bool = False
) -> StepBank:
    """The first trials of a fresh instance, a function of source, number and seed.

    The first trials are probed at all steps and actions. If in each of them the steps of a segment
    (same periods, same ground truth) pay alike, the others are probed at three steps per segment;
    one that contradicts sends all trials back to full probing, as `thorough` does from the start.
    After the first 32 trials this is verified in one segment of each trial.

    A trial that raises is left out, noted (`evoplastic.trials.faults`), and the next one drawn.

    Raises:
        Unbankable: the task does not fit into a bank; `refusal` has the reason.
    """
    require(num_trials >= 1, f"num_trials is {num_trials}, expected at least 1")
    if not thorough:
        try:
            return _stack(source, *_probe_trials(source, num_trials, seed, thorough=False))
        except SegmentsDiffer:
            pass
    return _stack(source, *_probe_trials(source, num_trials, seed, thorough=True))


def _probe_trials(
    source: EnvSource, num_trials: int, seed: int, *, thorough: bool
) -> tuple[list[ProbedTrial], list[Raised]]:
    """Trials, and those that raised and were left out."""
    top = source.make(seed)
    prober = Prober(source.name, top, np.random.default_rng([seed, num_trials]))
    trials: list[ProbedTrial] = []
    left_out: list[Raised] = []
    with isolated(seed, TRIALS):
        while len(trials) < num_trials:
            at(f"probing trials of {source.name}", len(trials), num_trials)
            try:
                trials.append(_next_trial(prober, len(trials), thorough=thorough))
            except Unbankable as error:
                left_out.append(_left_out(error, len(trials) + len(left_out)))
                refuse_frequent(source, _share(source))
    for each in left_out:
        report(source, seed, each)
    if says_nothing([trial.ground_truth_T for trial in trials if trial.informed]):
        trials = [_without_ground_truth(trial) if trial.informed else trial for trial in trials]
    return trials, left_out


def _next_trial(prober: Prober, number: int, *, thorough: bool) -> ProbedTrial:
    first = number < THOROUGH_TRIALS
    trial = prober.next_trial(
        thorough=thorough or first,
        deep=number % DEEP_EVERY == 0,
        sparsely=number >= VERIFIED_TRIALS,
    )
    if first and not thorough:
        _expect_like_segments(trial)
    return trial


def _left_out(error: Unbankable, number: int) -> Raised:
    """A trial that raised, in words; what does not fit for another reason is raised again."""
    if error.refusal.reason != "raises" or error.__cause__ is None:
        raise error
    where = error.refusal.detail.partition(" raised ")[0]
    return raised(number, where, error.__cause__)


def _share(source: EnvSource) -> Share:
    """How many of the first trials of one seed raise; counted once in a process."""
    known = known_share(source, "bank")
    if known is not None:
        return known
    prober = Prober(source.name, source.make(SEED), np.random.default_rng(SEED))
    count = number = 0
    detail, last = "", None
    with isolated(SEED, TRIALS):
        while number < COUNTED_TRIALS and count <= MOST_RAISED:
            try:
                _next_trial(prober, number, thorough=False)
            except SegmentsDiffer:
                pass
            except Unbankable as error:
                if error.refusal.reason != "raises":
                    break  # whoever builds a bank comes to that too
                count, detail, last = count + 1, error.refusal.detail, number
            number += 1
    share = Share(count, number, detail, last)
    remember(source, "bank", share)
    return share


def _without_ground_truth(trial: ProbedTrial) -> ProbedTrial:
    return trial._replace(ground_truth_T=np.full_like(trial.ground_truth_T, NO_TARGET))


def _expect_like_segments(trial: ProbedTrial) -> None:
    for steps in segments(trial.ground_truth_T, trial.periods):
        for table_TO in (trial.reward_TO, trial.ends_TO):
            if (table_TO[steps] != table_TO[steps[0]]).any():
                raise SegmentsDiffer


def _stack(source: EnvSource, trials: list[ProbedTrial], left_out: list[Raised]) -> StepBank:
    num_steps_M = np.array([len(trial.ground_truth_T) for trial in trials], dtype=np.int64)
    M, T = len(trials), int(num_steps_M.max())
    I, O = trials[0].observation_TI.shape[1], trials[0].reward_TO.shape[1]
    names = tuple(dict.fromkeys(name for trial in trials for name in trial.periods))
    observation_MTI = np.zeros((M, T, I), dtype=np.float32)
    ground_truth_MT = np.full((M, T), NO_TARGET, dtype=np.int64)
    reward_MTO = np.zeros((M, T, O), dtype=np.float32)
    ends_MTO = np.ones((M, T, O), dtype=bool)
    period_MQ2 = np.full((M, len(names), 2), -1, dtype=np.int64)
    for m, trial in enumerate(trials):
        stop = num_steps_M[m]
        observation_MTI[m, :stop] = trial.observation_TI
        ground_truth_MT[m, :stop] = trial.ground_truth_T
        reward_MTO[m, :stop] = trial.reward_TO
        ends_MTO[m, :stop] = trial.ends_TO
        for name, span in trial.periods.items():
            period_MQ2[m, names.index(name)] = span
    return StepBank(
        task=source.name,
        dt_ms=float(source.dt_ms),
        observation_MTI=observation_MTI,
        ground_truth_MT=ground_truth_MT,
        num_steps_M=num_steps_M,
        reward_MTO=reward_MTO,
        ends_MTO=ends_MTO,
        period_names=names,
        period_MQ2=period_MQ2,
        # the last target action tells trials apart; without a ground truth all are of one kind
        kind_M=np.maximum(final_answers(ground_truth_MT, ends_MTO), 0),
        left_out=tuple(each.trial for each in left_out),
    )
