"""Fixed points of networks whose fixed points are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from analysis.figures.inside.fixed_points import figure_fixed_points
from analysis.inside.fixed_points import Dynamics, fixed_points
from evoplastic.checks import UsageError
from tests.analysis.inside.data import recording


def network(a: Any, drive: Any = None, tau_ms: float = 100.0) -> Dynamics:
    a_UU = np.atleast_2d(np.array(a, dtype=float))
    size = len(a_UU)
    drive_U = np.zeros(size) if drive is None else np.array(drive, dtype=float)
    return Dynamics(a_UU, drive_U, np.full(size, tau_ms), np.zeros(size), np.arange(size))


def test_a_neuron_that_excites_itself_has_two_stable_points_and_one_between() -> None:
    """x = 2 tanh(x): 0, which is left at a rate of (2 - 1) / tau, and +-1.915."""
    high = brentq(lambda x: 2 * np.tanh(x) - x, 1, 3)
    starts = np.array([[-2.0], [-1.0], [1e-9], [0.9], [2.0], [2.5]])
    found = fixed_points(network([[2.0]]), starts)
    table = found.table.assign(x=found.x_FU[:, 0]).sort_values("x")
    np.testing.assert_allclose(table["x"], [-high, 0.0, high], atol=1e-8)
    assert table["unstable"].tolist() == [0, 1, 0]
    assert (table["kind"] == "fixed").all()
    assert table["largest_real"].iloc[1] == pytest.approx(10.0)  # per second
    slope = 2 * (1 - np.tanh(high) ** 2)
    assert table["slowest_ms"].iloc[0] == pytest.approx(100 / (1 - slope))


def test_a_rotation_spirals_out() -> None:
    """Eigenvalues (0.5 +- i 3) / tau at 0."""
    found = fixed_points(network([[1.5, -3.0], [3.0, 1.5]], tau_ms=50.0), np.zeros((1, 2)))
    assert found.table["unstable"].tolist() == [2]
    np.testing.assert_allclose(found.eigenvalues["real"], 10.0, atol=1e-9)
    np.testing.assert_allclose(np.sort(found.eigenvalues["imaginary"]), [-60.0, 60.0])


def test_without_connections_activity_goes_where_it_is_driven() -> None:
    found = fixed_points(network(np.zeros((3, 3)), [0.5, -1.0, 2.0]), np.ones((4, 3)))
    np.testing.assert_allclose(found.x_FU, [[0.5, -1.0, 2.0]])
    assert found.table["starts"].tolist() == [4]


def test_slow_points_are_told_apart() -> None:
    """Driven just past the fold of 2 tanh(x) - x, at tanh(x)^2 = 1/2, one of two stable points is
    gone; where it was, activity is slow."""
    fold = np.arctanh(np.sqrt(0.5))
    past = network([[2.0]], [fold - 2 * np.sqrt(0.5) - 0.01])
    found = fixed_points(past, np.array([[0.9], [-2.0]]))
    table = found.table.assign(x=found.x_FU[:, 0]).sort_values("x")
    assert table["kind"].tolist() == ["fixed", "slow"]
    assert table["x"].iloc[1] == pytest.approx(fold, abs=1e-3)
    assert table["q"].iloc[1] == pytest.approx(0.01**2 / 2)


def test_bad_input() -> None:
    with pytest.raises(UsageError, match="513 neurons, fixed points are sought in up to 512"):
        fixed_points(network(np.zeros((513, 513))), np.zeros((1, 513)))


@pytest.mark.exhaustive
def test_it_is_drawn() -> None:
    networks = {name: network(np.zeros((9, 9))) for name in ("at birth", "after a lifetime")}
    drawn = figure_fixed_points(recording(), networks)
    assert drawn.numbers["network"].tolist() == list(networks)
    assert drawn.figure.axes[0].get_title() == "at birth"
