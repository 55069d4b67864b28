"""Our recipes as cases of a test that poses each as an experiment."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.config.run import known_recipes

LARGE = ("metaworld", "yang19")  # of so many tasks, or so large ones, that posing takes seconds


def posed_recipes() -> list[Any]:
    """All recipes, the large ones among the exhaustive tests."""
    return [
        pytest.param(name, marks=[pytest.mark.exhaustive] if name in LARGE else [])
        for name in known_recipes()
    ]
