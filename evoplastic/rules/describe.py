"""Rules in words and numbers for a reader: equation, fields, schedule, cost of a step."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, NamedTuple

from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.fields import rule_fields


class Cost(NamedTuple):
    """What one time step of a lifetime does for each connection, from the structure of its rule."""

    multiply_adds: int
    matrices: int  # read or written


def step_cost(rule: RuleConfig) -> Cost:
    """The cost of a step, changes that are made once per trial not counted.

    at_outcome  the drive: w_eff rate
    lazy        the drive; the trace is a running sum of what noise strikes
    every_step  (w + alpha p) rate, the trace's credits and decay, and for terms that share all
                but the target's factor one multiply-add and one more for each further factor
    """
    if rule.schedule != "every_step":
        return Cost(1, 1)
    table, evolved = rule.table, rule.evolved
    forms = {
        names: [evolved[name].form for name in names if name in evolved]
        for names in (term.coefficients for term in table.change)
    }
    pairs = {
        names: any(form in ("connection", "cell_types", "clustered") for form in found)
        for names, found in forms.items()
    }
    groups = set()
    for term in table.change:
        names = term.coefficients
        sources = "source" in forms[names] or "rank_one" in forms[names]
        own = names if pairs[names] or sources else ()
        groups.add((term.pre != "one", sources, pairs[names], term.p, term.trace, own))
    trace = len(table.credits) + bool(table.credits)
    if table.when == "outcome":
        return Cost(2 + trace, 3 + 2 * bool(table.credits))
    work = sum(1 + sum(bool(factor) for factor in group[:5]) for group in groups)
    work += table.clips_change + table.clips_p + 2 * table.normalises
    moved = 2 + 2 + 2 * bool(table.credits) + sum(pairs.values())
    return Cost(2 + trace + work, moved)


def describe_rule(rule: RuleConfig, num_neurons: int) -> dict[str, Any]:
    """All that `evoplastic rules show` tells, as plain values."""
    table, groups = rule.table, NeuronGroups(num_neurons=num_neurons)
    cost = step_cost(rule)
    return {
        "name": rule.name,
        "title": table.title,
        "equations": list(table.equations),
        "source": table.source,
        "modulator": table.modulator,
        "changes_at": table.when,
        "schedule": rule.schedule,
        "constants": asdict(rule.constants)
        | {n: v for n, v in rule.settings.items() if not isinstance(v, Evolvable)},
        "fields": [
            {
                "name": field.name,
                "shape": field.shape,
                "transform": field.transform,
                "genes": math.prod(field.sizes(groups)),
            }
            for field in rule_fields(rule)
        ],
        "neurons": num_neurons,
        "genes": sum(math.prod(field.sizes(groups)) for field in rule_fields(rule)),
        "step_multiply_adds_per_connection": cost.multiply_adds,
        "step_matrices": cost.matrices,
    }
