"""Measures of similarity on patterns whose answer is known, and files of activity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ortho_group

from evoplastic.checks import UsageError
from evoplastic.lifetime.imitation.activity import order_of, read_activity
from evoplastic.lifetime.imitation.similarity import compare, matrix_of, similarity


def test_turned_scaled_and_moved_activity_is_the_same_to_cka() -> None:
    rng = np.random.default_rng(0)
    pattern = rng.normal(size=(6, 5))
    turned = 3.0 * pattern @ ortho_group.rvs(5, random_state=1) + rng.normal(size=5)
    first, second = (matrix_of(each, "cka") for each in (pattern, turned))
    assert compare(first, second, "cka") == pytest.approx(1.0)
    # CKA of X and Y in features: |Y'X|^2 / (|X'X| |Y'Y|), centred (Kornblith et al. 2019, eq. 5)
    other = rng.normal(size=(6, 9))
    x, y = (each - each.mean(0) for each in (pattern, other))
    expected = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert compare(first, matrix_of(other, "cka"), "cka") == pytest.approx(expected)


def test_an_rdm_is_one_minus_correlation_and_compared_by_rank() -> None:
    pattern = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.5], [2.0, 1.0, 2.0]])
    rdm = matrix_of(pattern, "rdm")
    np.testing.assert_allclose(rdm, 1 - np.corrcoef(pattern), atol=1e-12)
    assert compare(rdm, rdm**3, "rdm") == pytest.approx(1.0)  # ranks stay
    above = np.triu_indices(4, 1)
    expected = np.corrcoef(rdm[above], rdm[above] ** 3)[0, 1]
    assert compare(rdm, rdm**3, "rdm", ranked=False) == pytest.approx(expected)
    assert compare(rdm, rdm.max() - rdm, "rdm") == pytest.approx(-1.0)
    assert compare(rdm, np.ones_like(rdm), "rdm") == 0.0  # says nothing


@pytest.mark.parametrize("measure", ["rdm", "cka"])
def test_conditions_in_random_order_are_the_floor(measure: str) -> None:
    rng = np.random.default_rng(2)
    pattern = rng.normal(size=(10, 20))
    matrix = matrix_of(pattern, measure)
    found = similarity(matrix, matrix_of(pattern + rng.normal(0, 0.1, (10, 20)), measure), measure)
    assert found.value > 0.9
    assert found.p == pytest.approx(0.001)  # no other of 1,000 orders
    unlike = similarity(matrix, matrix_of(rng.normal(size=(10, 20)), measure), measure)
    assert unlike.p > 0.05
    four = similarity(matrix[:4, :4], matrix[:4, :4], measure)
    assert four.p == pytest.approx(1 / 24)  # all orders of four conditions


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "activity.csv"
    file.write_text("condition,u1,u2\n1 0,1.5,2\n0 0,0,-1e-3\n\n0 1,3,4\n")
    activity = read_activity(file)
    assert activity.conditions == ("1 0", "0 0", "0 1")
    np.testing.assert_array_equal(activity.pattern_CU, [[1.5, 2], [0, -1e-3], [3, 4]])
    assert order_of(activity.conditions, ["0 0", "0 1", "1 0"], "t") == [1, 2, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "begins with 'nothing', expected a header `condition,unit1,...`"),
        ("a,b\n1,2\n", "begins with 'a,b', expected a header"),
        ("condition,u\nx,1\nx,2\n", "condition ['x'] is there twice"),
        ("condition,u\nx,1,2\n", "line 2: 3 columns, the header has 2"),
        ("condition,u\nx,one\n", "line 2: 'one' is no finite number"),
        ("condition,u\nx,nan\n", "line 2: 'nan' is no finite number"),
        ("condition,u\n" + "".join(f"{n},1\n" for n in range(129)), "129 conditions, at most 128"),
    ],
)
def test_other_files_are_refused(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "activity.csv"
    file.write_text(content)
    with pytest.raises(UsageError) as error:
        read_activity(file)
    assert message in str(error.value)


def test_other_conditions_are_refused() -> None:
    with pytest.raises(UsageError, match=r"task 'dms' has 0 0, 0 1; missing: 0 1; unknown: left"):
        order_of(["0 0", "left"], ["0 0", "0 1"], "dms")
    with pytest.raises(UsageError, match="activity has 2 conditions, similarity takes at least 3"):
        matrix_of(np.zeros((2, 4)), "cka")
