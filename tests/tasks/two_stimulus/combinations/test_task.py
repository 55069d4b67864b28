from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evoplastic.checks import UsageError
from tasks.two_stimulus.combinations.factors import DELAYS_MS, FACTORS, Levels, levels_of
from tasks.two_stimulus.combinations.task import CombinationTask, combination
from tasks.two_stimulus.task import CONDITIONS

# Written as arithmetic on the two bits, not as tables.
RULES = {
    "and": lambda a, b: a * b,
    "or": lambda a, b: a + b - a * b,
    "first": lambda a, b: a,
    "second": lambda a, b: b,
    "same": lambda a, b: 1 - (a - b) ** 2,
    "rising": lambda a, b: (1 - a) * b,
    "falling": lambda a, b: a * (1 - b),
}
STEPS = 6  # of a stimulus
ALL = [Levels(*levels) for levels in product(*FACTORS.values())]


def read_bits(stimulus_TI: np.ndarray, pair: int) -> list[int]:
    """The bits that a pair of lines shows, one for each stretch of input."""
    line_T = stimulus_TI[:, 2 * pair]
    assert np.array_equal(line_T, -stimulus_TI[:, 2 * pair + 1])
    shown = line_T[line_T != 0]
    assert len(shown) in (0, 2 * STEPS)
    return [int(value > 0) for value in shown[::STEPS]]


def test_answers_are_the_rule_of_the_bits_that_the_asked_pair_shows() -> None:
    for levels in ALL:
        require_answers(levels)


def require_answers(levels: Levels) -> None:
    """What one combination shows and asks."""
    fixed = CombinationTask(levels).trials().fixed
    asked = 0 if levels.modality in ("a", "a_over_b") else 1
    conflict = "_over_" in levels.modality
    seen = []
    for stimulus_TI, answer in zip(fixed.stimulus_MTI, fixed.target_action_M, strict=True):
        first, second = read_bits(stimulus_TI, asked)
        value = RULES[levels.rule](first, second)
        assert answer == (value if levels.response == "pro" else 1 - value)
        other = read_bits(stimulus_TI, 1 - asked)
        assert len(other) == (2 if conflict else 0)
        seen.append((first, second, *other))
    assert sorted(seen) == sorted(set(seen))
    assert len(seen) == (16 if conflict else 4)


def test_the_delay_lies_between_the_stimuli_and_nothing_else_moves() -> None:
    for delay, gap_ms in DELAYS_MS.items():
        task = combination(f"same-{delay}-pro-b")
        bank, periods = task.trials(), task.periods()
        shown_T = np.abs(bank.fixed.stimulus_MTI[0]).max(axis=1) > 0
        assert periods["stimulus2"][0] - periods["stimulus1"][1] == gap_ms // 20
        steps = {t for name in ("stimulus1", "stimulus2") for t in range(*periods[name])}
        assert set(np.flatnonzero(shown_T)) == steps
        assert bank.fixed.timing == combination("and-none-anti-a").trials().fixed.timing
        assert periods["stimulus2"] == (17, 23)


def test_no_two_combinations_of_one_delay_and_pair_ask_the_same_function() -> None:
    tables = {
        CombinationTask(levels).truth_table
        for levels in ALL
        if (levels.delay, levels.modality) == ("none", "a")
    }
    assert len(tables) == len(FACTORS["rule"]) * len(FACTORS["response"])


def test_cues_are_one_on_the_lines_of_the_levels() -> None:
    cues = (("rule", "and"), ("rule", "same"), ("response", "pro"), ("response", "anti"))
    task = CombinationTask(Levels("same", "long", "pro", "a"), cues)
    cued, plain = task.trials().fixed.stimulus_MTI, task.without_cues().trials().fixed.stimulus_MTI
    assert np.array_equal(cued[..., :4], plain)
    assert (cued[..., 4:] == [0, 1, 1, 0]).all()
    assert task.settings == {"cued": True}


def test_kinds_are_the_bits_of_the_asked_pair() -> None:
    bank = combination("first-short-pro-b_over_a").trials()
    for stimulus_TI, kind in zip(bank.fixed.stimulus_MTI, bank.kind_M, strict=True):
        assert tuple(read_bits(stimulus_TI, 1)) == CONDITIONS[kind]


def test_levels_of_simple_policies() -> None:
    chance, fixed, oracle = combination("and-short-pro-a_over_b").levels()
    assert (chance.accuracy, fixed.accuracy, oracle.accuracy) == (0.5, 0.75, 1.0)


def test_names_are_read_back() -> None:
    assert all(levels_of(levels.name) == levels for levels in ALL)
    assert levels_of("same-long-pro") is None
    with pytest.raises(UsageError, match="RULE-DELAY-RESPONSE-MODALITY, as same-long-anti-b"):
        combination("same-longer-pro-a")
