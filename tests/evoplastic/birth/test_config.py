"""The section `birth`: what contradicts itself is refused before anything is drawn."""

from __future__ import annotations

import re
from typing import Any

import pytest

from evoplastic.birth.config import DEFAULTS, BirthConfig
from evoplastic.checks import UsageError
from evoplastic.rules.coefficients import Evolvable

RANDOM: dict[str, Any] = {"weights": "random"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "inate"}, "unknown weights of a newborn 'inate'; did you mean 'innate'?"),
        ({"gain": 1.0}, "birth sets gain, but its weights are innate"),
        ({"innate": ("hidden",)}, "birth sets innate, but its weights are innate"),
        ({**RANDOM, "innate": ("modulator",)}, "did you mean 'modulators'?"),
        ({**RANDOM, "innate": ("hidden", "hidden")}, "one group twice"),
        ({**RANDOM, "gain": -1.0}, "gain is -1.0, expected 0 or more"),
        ({**RANDOM, "gain": Evolvable(init=1.0)}, "set its transform to positive"),
        ({**RANDOM, "density": 1.5}, "density is 1.5, expected a chance in [0, 1]"),
        ({**RANDOM, "density": -0.1}, "density is -0.1, expected a chance in [0, 1]"),
        ({**RANDOM, "density": Evolvable(init=0.5)}, "set its lower and upper within [0, 1]"),
        (
            {**RANDOM, "density": Evolvable(init=0.5, lower=0.0, upper=1.1)},
            "set its lower and upper within [0, 1]",
        ),
        ({"alpha": -0.5}, "alpha is -0.5, expected 0 or more"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        BirthConfig(**options)


def test_only_random_weights_have_statistics() -> None:
    assert BirthConfig().resolved == BirthConfig()
    assert BirthConfig().evolved == {}
    random = BirthConfig(weights="random", mean=0.3).resolved
    assert (random.gain, random.density, random.mean) == (
        DEFAULTS["gain"],
        DEFAULTS["density"],
        0.3,
    )
    assert random.resolved == random
    assert list(random.evolved) == ["gain", "density"]
