"""What interfaces and timings refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.timing import TrialTiming
from evoplastic.types import Interface
from tests.evoplastic.engines.cases import TIMING


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dt_ms": 0.0}, "dt_ms is 0.0"),
        ({"response": (8, 8)}, r"response window \[8, 8\)"),
        ({"response": (-1, 4)}, r"response window \[-1, 4\)"),
        ({"feedback": (9, 13)}, r"feedback window \[9, 13\).*12 steps"),
        ({"response": (5, 10)}, "feedback starts at step 9, before the response window ends"),
    ],
)
def test_impossible_timings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(TIMING, **changes)


def test_windows_may_touch_each_other_and_the_trial_end() -> None:
    timing = TrialTiming(dt_ms=20.0, num_steps=4, response=(0, 2), feedback=(2, 4))
    assert timing.response[1] == timing.feedback[0]


@pytest.mark.parametrize(("inputs", "outputs"), [(0, 2), (2, 1)])
def test_an_interface_needs_an_input_and_a_choice(inputs: int, outputs: int) -> None:
    with pytest.raises(UsageError, match="expected at least"):
        Interface(num_inputs=inputs, num_outputs=outputs)


def _with_nan(array: np.ndarray) -> np.ndarray:
    broken = array.copy()
    broken.flat[0] = np.nan
    return broken
