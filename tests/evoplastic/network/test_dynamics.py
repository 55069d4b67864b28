"""One step of activity: what reaches a neuron does not depend on who else is simulated."""

from __future__ import annotations

import pytest
import torch

from evoplastic.modulation.params import fanned_out
from evoplastic.network.dynamics import product_of_each


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize(("neurons", "columns"), [(24, 24), (70, 70), (140, 140), (140, 5)])
def test_a_product_has_the_same_bits_in_any_batch(neurons: int, columns: int, size: int) -> None:
    draws = torch.Generator().manual_seed(0)
    w_PNM = torch.randn(9, neurons, columns, generator=draws)
    signal_PM = torch.randn(9, columns, generator=draws)
    for multiply in (product_of_each, fanned_out):
        whole_PN = multiply(w_PNM, signal_PM)
        parts = zip(w_PNM.split(size), signal_PM.split(size), strict=True)
        assert torch.equal(torch.cat([multiply(w, signal) for w, signal in parts]), whole_PN)
        exact_PN = (w_PNM.double() @ signal_PM.double()[:, :, None])[:, :, 0]
        torch.testing.assert_close(whole_PN.double(), exact_PN, rtol=0, atol=1e-4)
