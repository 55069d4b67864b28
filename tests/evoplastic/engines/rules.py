"""Which rules of the table an engine's tests run over, by schedule."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from evoplastic.rules.catalogue import RULES
from evoplastic.rules.table import Modulator

# Rules that change weights by their trace alone; test_every_step.py has those that do more.
BY_TRACE = ("at_outcome", "lazy")
# Learning rates with which short lifetimes neither part ways nor stand still; others keep theirs.
CALM_ETA = {"node_perturbation_network": 0.02}


def short_life(rule: str, **options: Any) -> dict[str, Any]:
    """Options of a rule for a short lifetime."""
    eta = {"eta": CALM_ETA[rule]} if rule in CALM_ETA else {}
    return {"name": rule, **eta, **options}


def long_life(rule: str) -> dict[str, Any]:
    """Options of a rule for long, chaotic lifetimes in which it makes a difference."""
    return short_life(rule) if rule in CALM_ETA else short_life(rule, eta=0.3)


def rules_of(schedules: Container[str], modulator: Modulator | None = None) -> list[str]:
    """Rules of some schedules, modulated by what is asked for."""
    return [
        name
        for name, rule in RULES.items()
        if rule.schedule in schedules and modulator in (None, rule.modulator)
    ]
