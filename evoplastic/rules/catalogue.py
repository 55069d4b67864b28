"""The table of plasticity rules; a new rule is one entry here."""

from __future__ import annotations

from evoplastic.rules.node_perturbation import NODE_PERTURBATION, NODE_PERTURBATION_NETWORK
from evoplastic.rules.table import Rule

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        NODE_PERTURBATION,
        NODE_PERTURBATION_NETWORK,
    )
}
