"""The table of plasticity rules; a new rule is one entry here."""

from __future__ import annotations

from evoplastic.rules.abcd import ABCD, ABCD_CLUSTERED, ABCD_RANK_ONE, ABCD_RATES
from evoplastic.rules.backpropamine import BACKPROPAMINE, BACKPROPAMINE_RETROACTIVE
from evoplastic.rules.hebbian import HEBB, OJA
from evoplastic.rules.node_perturbation import (
    CUBED_FLUCTUATIONS,
    NODE_PERTURBATION,
    NODE_PERTURBATION_CRITIC,
    NODE_PERTURBATION_NETWORK,
    WEIGHT_DECAY,
)
from evoplastic.rules.table import Rule

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        NODE_PERTURBATION,
        NODE_PERTURBATION_NETWORK,
        NODE_PERTURBATION_CRITIC,
        CUBED_FLUCTUATIONS,
        WEIGHT_DECAY,
        HEBB,
        OJA,
        ABCD,
        ABCD_RATES,
        ABCD_RANK_ONE,
        ABCD_CLUSTERED,
        BACKPROPAMINE,
        BACKPROPAMINE_RETROACTIVE,
    )
}
