"""Whether two engines live chaotic lifetimes alike, though bit by bit they part ways."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def assert_equal_in_distribution(ours_P: Tensor, theirs_P: Tensor) -> None:
    """Mean and distribution of one number for each of 256 lifetimes, of which many are chaotic.

    A paired t test and a two-sample Kolmogorov-Smirnov test, false alarm 1e-4 each. The t test
    finds a shift of 0.4 standard deviations of the paired differences with a power of 99 %, the
    other a difference of 0.28 between distribution functions with more than 95 %.
    """
    assert len(ours_P) == len(theirs_P) == 256
    difference = ours_P - theirs_P
    parted = float((difference.abs() > 1e-3).float().mean())
    assert parted > 0.2, f"only {parted:.0%} of the lives are chaotic: test for equality instead"
    t = float(difference.mean() / (difference.std() / 16.0))
    assert abs(t) < 3.95, f"mean {ours_P.mean():.4f}, reference {theirs_P.mean():.4f}, t = {t:.1f}"
    every = torch.cat([ours_P, theirs_P]).sort().values
    distance = (
        torch.searchsorted(ours_P.sort().values, every, right=True)
        - torch.searchsorted(theirs_P.sort().values, every, right=True)
    ).abs().max() / 256
    assert distance < 2.225 * np.sqrt(2 / 256), f"distributions differ by {distance:.3f}"
