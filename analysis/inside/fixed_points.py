"""Fixed and slow points of a network while nothing is shown, and what is stable about them.

Sussillo & Barak (2013), "Opening the black box: low-dimensional dynamics in high-dimensional
recurrent neural networks", Neural Computation 25:626-649, equations 2.4 and 2.6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from evoplastic.checks import require

MOST_NEURONS = 512
FIXED = 1e-12  # q below which a point is fixed
SLOW = 1e-3  # and below which it is slow
SAME = 1e-2  # distance of activations within which two points are one


class Dynamics(NamedTuple):
    """tau dx/dt = -x + A tanh(x - threshold) + drive, of U neurons."""

    a_UU: np.ndarray  # row i holds what neuron i receives
    drive_U: np.ndarray  # what clamped neurons send
    tau_ms_U: np.ndarray
    threshold_U: np.ndarray
    neurons: np.ndarray  # which of the network's they are

    def flow(self, x_U: np.ndarray) -> np.ndarray:
        """tau dx/dt."""
        found: np.ndarray = -x_U + self.a_UU @ np.tanh(x_U - self.threshold_U) + self.drive_U
        return found

    def jacobian(self, x_U: np.ndarray) -> np.ndarray:
        """d(tau dx/dt) / dx."""
        slope_U = 1.0 - np.tanh(x_U - self.threshold_U) ** 2
        found: np.ndarray = self.a_UU * slope_U - np.eye(len(x_U))
        return found


class FixedPoints(NamedTuple):
    """Points [F, U] at which activity stands still, or nearly."""

    x_FU: np.ndarray
    table: pd.DataFrame  # point, starts, q, kind, unstable, slowest_ms, largest_real
    eigenvalues: pd.DataFrame  # point, real, imaginary, per second

    def rates(self, dynamics: Dynamics) -> np.ndarray:
        """Firing rates [F, U]."""
        found: np.ndarray = np.tanh(self.x_FU - dynamics.threshold_U)
        return found


def fixed_points(dynamics: Dynamics, start_SU: np.ndarray) -> FixedPoints:
    """Points where q = |tau dx/dt|^2 / 2 is smallest, from where activity has been.

    SciPy's `least_squares` (Levenberg-Marquardt) from each start; ends within a hundredth of each
    other are one point. Points of q below 1e-12 are fixed, below 1e-3 slow, others are left out.

    Args:
        dynamics: of the network while its inputs stay.
        start_SU: activations to start from.

    Returns:
        The points, most often reached first; `unstable` counts eigenvalues of the linearised
        dynamics whose real part is above 0, `slowest_ms` is the time constant of the slowest mode
        that decays.

    Raises:
        UsageError: a network of more than 512 neurons, or no point within reach.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.optimize import least_squares

    U = len(dynamics.drive_U)
    require(
        U <= MOST_NEURONS,
        f"the network has {U} neurons, fixed points are sought in up to {MOST_NEURONS}",
    )
    found = [
        least_squares(dynamics.flow, start_U, dynamics.jacobian, method="lm", xtol=1e-12)
        for start_U in start_SU
    ]
    ends = [(each.x, float(each.cost)) for each in found if each.cost < SLOW]
    require(
        len(ends) > 0,
        f"none of {len(start_SU)} starts leads to a point where activity stands nearly still; give "
        "more of them",
    )
    x_EU = np.stack([x_U for x_U, _ in ends])
    q_E = np.array([q for _, q in ends])
    group_E = np.ones(1, dtype=int)
    if len(ends) > 1:
        group_E = fcluster(linkage(x_EU, "single"), SAME, "distance")
    best = [
        (int((group_E == group).sum()), int(np.flatnonzero(group_E == group)[0]))
        for group in np.unique(group_E)
    ]
    best.sort(key=lambda each: (-each[0], each[1]))
    x_FU = np.stack([x_EU[place] for _, place in best])
    rows, values = [], []
    for point, (starts, place) in enumerate(best):
        # of dx/dt, per second
        rate_UU = dynamics.jacobian(x_EU[place]) / (dynamics.tau_ms_U[:, None] / 1000.0)
        eigen = np.linalg.eigvals(rate_UU)
        eigen = eigen[np.argsort(-eigen.real)]
        decaying = eigen.real[eigen.real < 0]
        rows.append(
            {
                "point": point,
                "starts": starts,
                "q": q_E[place],
                "kind": "fixed" if q_E[place] < FIXED else "slow",
                "unstable": int((eigen.real > 0).sum()),
                "largest_real": float(eigen.real[0]),
                "slowest_ms": float(-1000.0 / decaying.max()) if len(decaying) else np.nan,
            }
        )
        values.append(pd.DataFrame({"point": point, "real": eigen.real, "imaginary": eigen.imag}))
    return FixedPoints(x_FU, pd.DataFrame(rows), pd.concat(values, ignore_index=True))
