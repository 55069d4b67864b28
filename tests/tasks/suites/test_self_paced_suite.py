"""Suites of free-running tasks: their lines, their trials, and the leaks that they refuse."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.stacked import stack_tables
from evoplastic.trials.table import TrialTable
from evoplastic.trials.wiring import WiringConfig
from evoplastic.types import Interface
from tasks.neurogym.task import SelfPacedTask
from tasks.suites.levels import (
    close_held_out,
    closest_train,
    fixed_policy_level,
    levels_of,
    policies,
)
from tasks.suites.loading import load_suite
from tasks.suites.suite import Suite

exhaustive = pytest.mark.exhaustive
FILE = Path(__file__).with_name("test_leakage.py")
ENVS = Path(__file__).parents[1] / "small_envs.py"


def mine(name: str, file: Path = FILE, **settings: Any) -> SelfPacedTask:
    return SelfPacedTask(name=name.lower(), source=f"{file}:{name}", settings=settings)


def suite(
    train: Sequence[SelfPacedTask], held_out: Sequence[SelfPacedTask], **changes: Any
) -> Suite:
    return Suite(
        name="small",
        description="",
        train=tuple(train),
        held_out=tuple(held_out),
        **changes,
    )


def small(**changes: Any) -> Suite:
    two_stimulus = SelfPacedTask(name="dms", source="evoplastic/TwoStimulus-dms")
    return suite([mine("Echo", ENVS), two_stimulus], [mine("Sometimes")], **changes)


def tables(suite: Suite, seed: int, num_trials: int) -> list[TrialTable]:
    """The banks of a suite of which no task needs to be stepped."""
    banks = suite.trials(seed, num_trials)
    found = [bank for bank in banks if isinstance(bank, TrialTable)]
    assert len(found) == len(banks)
    return found


def wiring(suite: Suite) -> WiringConfig:
    """How the tasks of a self-paced suite are wired."""
    assert suite.wiring is not None
    return suite.wiring


def test_interface_is_the_union() -> None:
    assert small().interface == Interface(num_inputs=3, num_outputs=3)
    assert wiring(small()).cue_lines == 0
    assert small().task_names == ("echo", "dms", "sometimes")
    assert [small().role(name) for name in small().task_names] == ["train", "train", "held_out"]
    assert small().half_of_train == (0, 1)
    assert wiring(small(permute="both")).permute == "both"


def test_banks_are_a_function_of_seed_and_number() -> None:
    one, again, other = (tables(small(), seed, 8) for seed in (1, 1, 2))
    assert [bank.task for bank in one] == ["echo", "dms", "sometimes"]
    assert [bank.digest for bank in one] == [bank.digest for bank in again]
    assert one[0].digest != other[0].digest
    assert list(stack_tables(one).num_inputs_B) == [3, 2, 3]


def test_the_rule_cue_has_a_line_for_each_task_at_the_end() -> None:
    cued, plain = small(rule_cue=True), small()
    assert cued.interface == Interface(num_inputs=6, num_outputs=3)
    assert wiring(cued).cue_lines == 3
    for place, (with_cue, without) in enumerate(
        zip(tables(cued, 1, 4), tables(plain, 1, 4), strict=True)
    ):
        own = without.interface.num_inputs
        assert np.array_equal(with_cue.observation_VI[:, :own], without.observation_VI)
        assert not with_cue.observation_VI[:, own:3].any()
        assert (with_cue.observation_VI[:, 3:] == np.eye(3)[place]).all()


def test_digest_sees_split_and_wiring_but_no_names() -> None:
    plain = small()
    renamed = replace(plain, train=(replace(mine("Echo", ENVS), name="x"), plain.train[1]))
    assert plain.digest == small().digest == renamed.digest
    exchanged = replace(plain, train=plain.held_out, held_out=plain.train, half_of_train=())
    others = [exchanged, small(rule_cue=True), small(permute="inputs")]
    assert len({plain.digest, *(other.digest for other in others)}) == 4


def test_a_suite_travels_without_trials() -> None:
    built = small()
    built.trials(1, 4)
    words = pickle.dumps(built)
    assert len(words) < 2000
    assert pickle.loads(words).digest == built.digest


@pytest.mark.parametrize(
    ("held_out", "words"),
    [
        (mine("Echo", ENVS), "asks the same as training task 'original'"),
        (mine("Renamed"), "asks the same as training task 'original'"),
        (mine("Exchanged"), "the same with actions exchanged as"),
        (mine("Permuted"), "the same with channels exchanged as"),
    ],
)
def test_leaks_are_refused_by_content_before_any_trial_is_handed_out(
    held_out: SelfPacedTask, words: str
) -> None:
    leaky = suite([mine("Sometimes"), replace(mine("Echo", ENVS), name="original")], [held_out])
    for ask in (
        lambda: leaky.interface,
        lambda: leaky.wiring,
        lambda: leaky.trials(0, 1),
        lambda: leaky.digest,
    ):
        with pytest.raises(UsageError, match=words) as refused:
            ask()
        assert f"held-out task {held_out.name!r}" in str(refused.value)


def test_the_negation_of_a_training_task_is_a_leak() -> None:
    with pytest.raises(UsageError, match="with acting and holding exchanged"):
        _ = suite([mine("Sometimes")], [mine("SometimesNot")]).digest


def test_aliases_among_training_tasks_are_said() -> None:
    twice = suite([mine("Echo", ENVS), mine("Renamed")], [mine("Sometimes")])
    assert twice.train_aliases == (("echo", "renamed"),)
    assert small().train_aliases == ()


@pytest.mark.parametrize(
    ("train", "held_out", "message"),
    [
        ([], ["Echo"], "has no training tasks"),
        (["Echo"], [], "has no held-out tasks"),
        (["Echo", "Echo"], ["Longer"], r"training tasks \['echo'\] more than once"),
        (["Echo"], ["Echo"], r"the names \['echo'\] for two different"),
    ],
)
def test_splits_that_make_no_sense_are_refused(
    train: list[str], held_out: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        suite([mine(name) for name in train], [mine(name) for name in held_out])


def test_a_task_of_another_time_step_is_refused() -> None:
    slow = replace(mine("Longer"), dt_ms=50)
    with pytest.raises(UsageError, match="'longer' has a time step of 50 ms"):
        suite([mine("Echo")], [slow])


def test_a_task_that_engines_cannot_live_is_named_with_the_reason() -> None:
    with pytest.raises(UsageError, match=r"suite 'small' lists 'boxactions'.*Discrete"):
        _ = suite([mine("Echo", ENVS)], [mine("BoxActions", ENVS)]).interface


def test_levels_are_those_of_simple_policies() -> None:
    levels = policies(small(), "echo")
    assert levels.oracle == (1.0, 1.0)
    assert levels.chance.accuracy == pytest.approx(0.5 * (1 - 3.0**-5))  # answers within 5 steps
    assert levels.chance.reward < 0
    assert levels_of(small(), "echo").chance == levels.chance.accuracy
    assert fixed_policy_level(small(), "echo") == pytest.approx(0.5, abs=0.1)


def test_no_answer_is_known_by_birth_where_actions_are_exchanged() -> None:
    tasks = [mine("Echo", ENVS), mine("SaysNothingNew")], [mine("Longer")]
    exchanged = suite(*tasks, permute="actions")
    for name in exchanged.task_names:
        assert fixed_policy_level(exchanged, name) == pytest.approx(0.5)
        assert policies(exchanged, name).best_fixed.accuracy == pytest.approx(0.5)
    known = suite(*tasks, permute="inputs")
    assert fixed_policy_level(known, "longer") == 1.0
    still = suite(
        [mine("Echo", ENVS)], [SelfPacedTask(name="hold", source="yang19.dms")], permute="both"
    )
    level = fixed_policy_level(still, "hold")
    assert level is not None
    assert level > 0.4  # to hold still can be known by birth


def test_a_held_out_task_is_judged_by_what_a_training_task_teaches_about_it() -> None:
    slow = suite([mine("Echo", ENVS), mine("SaysNothingNew")], [mine("Longer")])
    assert fixed_policy_level(slow, "longer") == 1.0
    close = closest_train(slow, "longer")
    assert close is not None
    assert (close.task, close.is_high) == ("echo", True)
    assert close_held_out(slow) == (("longer", close),)
    assert close_held_out(small()) == ()


def test_tasks_without_right_and_wrong_have_levels_in_reward_only() -> None:
    economic = SelfPacedTask(name="choice", source="EconomicDecisionMaking")
    paid = suite([economic, mine("Echo", ENVS)], [mine("Sometimes")])
    assert (levels_of(paid, "choice").chance, fixed_policy_level(paid, "choice")) == (None, None)
    assert policies(paid, "choice").chance.accuracy is None
    assert policies(paid, "choice").best_fixed.reward > policies(paid, "choice").chance.reward


@pytest.mark.parametrize("name", ["mixed", "neurogym-native", "yang19-small"])
def test_our_suites_can_be_lived(name: str) -> None:
    ours = load_suite(name)
    stacked = stack_tables(tables(ours, 1, 4))
    assert len(stacked.size_B) == len(ours.task_names)
    assert stacked.num_inputs_B.max() == ours.interface.num_inputs


def test_yang19_holds_out_each_family_in_turn() -> None:
    default = load_suite("yang19")
    assert default.held_out_families == ("matching",)
    assert len(default.task_names) == 20
    for family, names in default.families.items():
        assert tuple(task.name for task in load_suite(f"yang19/{family}").held_out) == names


@pytest.mark.parametrize(
    ("name", "directions"), [("yang19-small", 2), pytest.param("yang19", 16, marks=exhaustive)]
)
def test_no_family_of_yang19_leaks_into_the_others(name: str, directions: int) -> None:
    default = load_suite(name)
    for family in default.families:
        expected = Interface(num_inputs=1 + 2 * directions, num_outputs=1 + directions)
        assert load_suite(f"{name}/{family}").interface == expected
