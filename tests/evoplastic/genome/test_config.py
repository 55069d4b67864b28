"""The options of the first genome."""

from __future__ import annotations

from typing import Any

import pytest

from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig


def test_defaults_are_the_published_ones() -> None:
    assert GenomeConfig() == GenomeConfig(init_gain=1.5, init_alpha=0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"init_gain": 0.0}, "init_gain is 0.0"), ({"init_alpha": -0.5}, "init_alpha is -0.5")],
)
def test_impossible_beginnings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        GenomeConfig(**changes)
