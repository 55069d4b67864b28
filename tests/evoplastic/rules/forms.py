"""Every form of a coefficient, and products of them: options of `rule` that tests run."""

from __future__ import annotations

from typing import Any

from evoplastic.rules.coefficients import Evolvable


def _abcd(a: Evolvable, b: Evolvable | float = 0.01, **options: Any) -> dict[str, Any]:
    chosen = {"A": a, "B": b, "C": -0.02, "D": 0.01}
    return {"name": "abcd_rank_one", "coefficients": chosen, "max_p": 0.1, **options}


PER_TARGET = Evolvable(form="target", init=0.1, spread=0.3)
PER_SOURCE = Evolvable(form="source", init=0.1, spread=0.3)
RANK_ONE = Evolvable(form="rank_one", init=0.2, spread=0.3)
PER_CONNECTION = Evolvable(form="connection", spread=0.3)
BY_TYPES = Evolvable(form="clustered", number=2, assignment="target_type", spread=0.3)
POSITIVE = Evolvable(init=0.05, spread=0.5, transform="positive")

FORMS: dict[str, dict[str, Any]] = {
    "scalar": _abcd(Evolvable(init=0.2, spread=0.3)),
    "per target": _abcd(PER_TARGET),
    "per source": _abcd(PER_SOURCE),
    "pairs of cell types": _abcd(Evolvable(form="cell_types", number=3, spread=0.3)),
    "rank one": _abcd(RANK_ONE),
    "clusters of connections": _abcd(Evolvable(form="clustered", number=4, spread=0.3)),
    "clusters of target types": _abcd(BY_TYPES),
    "per connection": _abcd(PER_CONNECTION),
    "rate per source times rank one": _abcd(RANK_ONE, PER_TARGET, eta=PER_SOURCE),
    "rate per connection times all": _abcd(RANK_ONE, PER_SOURCE, eta=PER_CONNECTION),
    "positive rate of node perturbation": {"name": "node_perturbation", "eta": POSITIVE},
    "evolved time constant of the trace": {
        "name": "node_perturbation_network",
        "eta": 0.05,
        "tau_elig_ms": Evolvable(init=400.0, spread=0.5, transform="positive"),
    },
    "evolved baseline": {
        "name": "node_perturbation",
        "eta": 0.3,
        "baseline_decay": Evolvable(init=0.8, spread=0.1, transform="positive", upper=0.99),
    },
}
