"""Every id that NeuroGym registers either equals its bank, step by step, or has a reason here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evoplastic.checks import UsageError
from tasks.conformance import POLICIES, find_difference
from tasks.environments import EnvSource, registered_ids
from tasks.neurogym_bank import build_step_bank
from tasks.refusals import Unbankable
from tasks.step_levels import oracle
from tests.tasks.small_envs import Echo

TRIALS = 200
SEED = 1
UNASKED = ("EconomicDecisionMaking-v0",)  # bank without ground truth
NOT_CONFORMING = {
    "AnnubesEnv-v0": "cannot be made",  # without arguments
    "Bandit-v0": "reward is random",
    "DawTwoStep-v0": "observation depends on history",
    "HierarchicalReasoning-v0": "keeps state",
    "Null-v0": "actions",
    "Reaching1D-v0": "observation depends on action",
    "Reaching1DWithSelfDistraction-v0": "observation depends on action",
    "ReachingDelayResponse-v0": "actions",
    "SpatialSuppressMotion-v0": "actions",
    "perceptualdecisionmaking.roitman02-v0": "keeps state",
}
IDS = registered_ids()


def test_the_table_names_registered_ids_only() -> None:
    assert set(NOT_CONFORMING) <= set(IDS)
    assert len([name for name in IDS if not name.startswith("evoplastic/")]) == 52


@pytest.mark.parametrize("name", sorted(NOT_CONFORMING))
def test_what_does_not_conform_says_why(name: str) -> None:
    with pytest.raises(Unbankable) as caught:
        build_step_bank(EnvSource(name), 4, SEED)
    assert caught.value.refusal.reason == NOT_CONFORMING[name]


@pytest.mark.parametrize("name", [name for name in IDS if name not in NOT_CONFORMING])
def test_bank_equals_environment(name: str) -> None:
    """Observations, rewards and ends of 200 trials under three policies, bit for bit.

    Our own ids, all of one class, are compared over fewer.
    """
    trials = 20 if name.startswith("evoplastic/") else TRIALS
    bank = build_step_bank(EnvSource(name), trials, SEED)
    for policy in POLICIES:
        assert find_difference(EnvSource(name), bank, SEED, policy) is None, policy
    assert oracle(bank).accuracy == (None if name in UNASKED else 1.0)


def test_annubes_with_arguments_can_be_made_and_is_refused_for_another_reason() -> None:
    source = EnvSource("AnnubesEnv-v0", {"session": {"v": 0.5, "a": 0.5}, "catch_prob": 0.5})
    with pytest.raises(Unbankable, match="changes its attribute 'trial'") as caught:
        build_step_bank(source, 4, SEED)
    assert caught.value.refusal.reason == "keeps state"


@pytest.mark.parametrize("field", ["observation_MTI", "reward_MTO", "ends_MTO"])
def test_a_wrong_bank_would_be_seen(field: str) -> None:
    source = EnvSource(Echo)
    bank = build_step_bank(source, 4, SEED)
    table = getattr(bank, field).copy()
    cell = (2, 9, 2)  # in trial 2 the constant action is 2, which at step 9 does not end it
    table[cell] = not table[cell] if table.dtype == bool else table[cell] + np.float32(1e-6)
    difference = find_difference(source, replace(bank, **{field: table}), SEED, "constant")
    assert difference is not None
    assert difference.startswith("trial 2, step 9")


def test_more_trials_than_the_bank_has_are_refused() -> None:
    bank = build_step_bank(EnvSource(Echo), 4, SEED)
    with pytest.raises(UsageError, match="the bank has 4 trials, 5 were asked for"):
        find_difference(EnvSource(Echo), bank, SEED, "random", 5)
