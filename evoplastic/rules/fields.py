"""The fields that a genome must have for a rule: one for each number that evolution sets."""

from __future__ import annotations

from evoplastic.genome.evolved import RULE, evolved_field
from evoplastic.genome.fields import Field
from evoplastic.network.neurons import NUM_GROUPS
from evoplastic.rules.coefficients import COUNTED, Evolvable
from evoplastic.rules.config import RuleConfig

SHAPE_OF_FORM = {
    "scalar": "scalar",
    "target": "N",
    "source": "N",
    "cell_types": "types",
    "groups": f"types:{NUM_GROUPS}",
    "rank_one": "rank_one",
    "clustered": "clusters",
    "connection": "NN",
}


def rule_fields(rule: RuleConfig) -> tuple[Field, ...]:
    """The fields that the numbers of a rule need, in the order in which its table names them."""
    return tuple(
        evolved_field(
            RULE,
            name,
            chosen,
            shape=connection_shape(chosen),
            title=f"{name} of the rule, {chosen.form}",
        )
        for name, chosen in rule.evolved.items()
    )


def connection_shape(chosen: Evolvable) -> str:
    """The shape of a field that holds a number of connections."""
    shape = SHAPE_OF_FORM[chosen.form]
    return f"{shape}:{chosen.number}" if chosen.form in COUNTED else shape
