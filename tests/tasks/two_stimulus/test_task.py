from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import tasks.two_stimulus.task as two_stimulus
from evoplastic.checks import UsageError
from evoplastic.trials.timing import TrialTiming
from tasks.suites.split import SuiteTask
from tasks.two_stimulus.task import (
    CONDITIONS,
    NAMES,
    PERIODS_MS,
    TABLES,
    TwoStimulusTask,
    parity_half,
    period_steps,
    truth_table,
)

Formula = Callable[[int, int], int]

# Written as arithmetic on the two bits, as the published code does, and not as tables.
INTENDED: dict[str, Formula] = {
    "and": lambda a, b: a * b,
    "nand": lambda a, b: 1 - a * b,
    "01": lambda a, b: (1 - a) * b,
    "anti01": lambda a, b: 1 - (1 - a) * b,
    "10": lambda a, b: a * (1 - b),
    "anti10": lambda a, b: 1 - a * (1 - b),
    "watchstim1": lambda a, b: a,
    "watchstim2": lambda a, b: b,
    "dms": lambda a, b: int(a == b),
    "antiwatchstim2": lambda a, b: 1 - b,
    "antiwatchstim1": lambda a, b: 1 - a,
    "or": lambda a, b: min(a + b, 1),
    "nor": lambda a, b: 1 - min(a + b, 1),
    "dnms": lambda a, b: int(a != b),
}
PUBLISHED: dict[str, Formula] = {
    **INTENDED,
    "anti10": lambda a, b: a * (1 - b),
    "nor": lambda a, b: min(max(1 - a + b, 0), 1),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("table", "formulas"), [("intended", INTENDED), ("published", PUBLISHED)])
def test_truth_table_is_the_formula(name: str, table: str, formulas: dict[str, Formula]) -> None:
    assert truth_table(name, table) == tuple(formulas[name](a, b) for a, b in CONDITIONS)


def test_names_are_the_published_order() -> None:
    assert tuple(INTENDED) == NAMES


def test_intended_tasks_are_all_functions_but_the_constants() -> None:
    functions = {truth_table(name) for name in NAMES}
    assert len(functions) == 14
    assert functions.isdisjoint({(0, 0, 0, 0), (1, 1, 1, 1)})


def test_published_training_tasks_have_11_functions_and_unbalanced_ones() -> None:
    train = [truth_table(name, "published") for name in NAMES if name not in ("dms", "dnms")]
    assert len(set(train)) == 11
    assert np.sum(train, axis=0).tolist() == [5, 6, 7, 6]
    assert (1, 0, 0, 0) not in train  # the function that nor is named for


def test_docstring_shows_the_intended_truth_table() -> None:
    rows = re.findall(
        r"^    (\w+) +([01])   ([01])   ([01])   ([01])$", str(two_stimulus.__doc__), re.M
    )
    assert {name: tuple(map(int, bits)) for name, *bits in rows} == {
        name: truth_table(name) for name in NAMES
    }


def test_parity_halves_are_the_published_ones() -> None:
    halves = {half: {name for name in NAMES if parity_half(name) == half} for half in (0, 1)}
    assert halves[0] == {"and", "01", "10", "watchstim1", "antiwatchstim1", "nor", "dms"}
    assert halves[1] == {"nand", "anti01", "anti10", "watchstim2", "antiwatchstim2", "or", "dnms"}


def test_periods_fill_one_second_with_the_published_steps() -> None:
    assert sum(PERIODS_MS.values()) == 1000
    assert period_steps() == {
        "stimulus1": (0, 8),
        "gap1": (8, 10),
        "stimulus2": (10, 18),
        "gap2": (18, 20),
        "delay": (20, 25),
        "response": (25, 35),
        "gap3": (35, 36),
        "feedback": (36, 46),
        "idle": (46, 50),
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("table", TABLES)
def test_bank_shows_both_stimuli_and_asks_the_table(name: str, table: str) -> None:
    bank = TwoStimulusTask(name, table).trials(seed=3)
    assert bank.task == name
    assert bank.timing == TrialTiming(
        dt_ms=20.0, num_steps=50, response=(25, 35), feedback=(36, 46)
    )
    assert bank.kind_M.tolist() == [0, 1, 2, 3]
    assert bank.fixed.target_action_M.tolist() == list(truth_table(name, table))
    assert np.array_equal(bank.fixed.reward_MO, bank.fixed.target_MO)
    for entry, (first, second) in enumerate(CONDITIONS):
        expected_TI = np.zeros((50, 2))
        expected_TI[0:8] = [1, -1] if first else [-1, 1]
        expected_TI[10:18] = [1, -1] if second else [-1, 1]
        assert np.array_equal(bank.fixed.stimulus_MTI[entry], expected_TI)


def test_bank_does_not_depend_on_the_seed() -> None:
    task = TwoStimulusTask("dms")
    assert task.trials(0).digest == task.trials(7).digest


def test_digest_ignores_the_name_and_sees_the_answers() -> None:
    published = {name: TwoStimulusTask(name, "published").trials().digest for name in NAMES}
    assert published["10"] == published["anti10"]
    assert len(set(published.values())) == 13
    assert published["nor"] == TwoStimulusTask("anti10").trials().digest


@pytest.mark.parametrize("name", NAMES)
def test_description_says_so_when_the_published_function_differs(name: str) -> None:
    task = TwoStimulusTask(name, "published")
    assert isinstance(task, SuiteTask)
    differs = task.actions != TwoStimulusTask(name).actions
    assert differs == ("published under this name" in task.description)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TwoStimulusTask("dsm"), "unknown task 'dsm'; did you mean 'dms'?"),
        (lambda: parity_half("watchstim"), "did you mean 'watchstim"),
        (lambda: truth_table("dms", "publish"), "did you mean 'published'?"),
    ],
)
def test_unknown_words_are_answered_with_the_nearest(
    call: Callable[[], object], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        call()


def test_tasks_and_suites_load_without_neurogym() -> None:
    code = (
        "import sys, tasks.suites.loading, tasks.suites.describe\n"
        "tasks.suites.loading.load_suite('miconi2023').digest\n"
        "tasks.suites.describe.describe_task('dms')\n"
        "sys.exit('neurogym' in sys.modules or 'gymnasium' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
