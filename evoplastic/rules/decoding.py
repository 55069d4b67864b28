"""From the fields of genomes to what engines multiply by: numbers of targets, sources, connections.

What the recipe has as constants is multiplied in, in float32, so that all engines see one number.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from evoplastic.genome.evolved import RULE
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, bounded, words
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.params import Coefficient, RuleParams

FIRST_STREAM = 1  # of the draws of clusters; the draws of a first w have stream 0


def decode(rule: RuleConfig, groups: NeuronGroups, values: Mapping[str, Tensor]) -> RuleParams:
    """The evolved numbers of a rule for P individuals.

    Args:
        rule: which numbers are evolved, and in which form.
        groups: of the network.
        values: of all fields of the genomes, by name, [P, ...].
    """
    evolved = rule.evolved
    coefficients = {}
    for term in rule.table.change:
        if any(name in evolved for name in term.coefficients):
            coefficients[term.coefficients] = _product(rule, groups, values, term.coefficients)
    return RuleParams(
        coefficients,
        values.get(f"{RULE}tau_elig_ms"),
        values.get(f"{RULE}baseline_decay"),
    )


def _product(
    rule: RuleConfig, groups: NeuronGroups, values: Mapping[str, Tensor], names: tuple[str, ...]
) -> Coefficient:
    """The product of coefficients; what some of them have of pairs, all have of pairs then."""
    constant = rule.constant(names)
    whole = Coefficient()
    for name in names:
        setting = rule.settings[name]
        if isinstance(setting, Evolvable):
            part = expand(setting, groups, values[RULE + name])
            whole = Coefficient(*(_times(a, b) for a, b in zip(whole, part, strict=True)))
    of_target, of_source, of_pair = whole
    if of_pair is not None:
        of_pair = of_pair if constant == 1.0 else of_pair * constant
        of_pair = of_pair if of_target is None else of_pair * of_target[:, :, None]
        of_pair = of_pair if of_source is None else of_pair * of_source[:, None, :]
        return Coefficient(of_pair=of_pair)
    if of_target is None:
        assert of_source is not None, "a product that the genome has no part in"
        of_target = torch.ones_like(of_source)
    return Coefficient(of_target if constant == 1.0 else of_target * constant, of_source)


def _times(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    return a * b


def expand(chosen: Evolvable, groups: NeuronGroups, value: Tensor) -> Coefficient:
    """What the numbers of one coefficient are at each target, source or connection.

    Args:
        chosen: the form.
        groups: of the network.
        value: the field's numbers of P individuals.
    """
    neurons = groups.num_neurons
    if chosen.form == "scalar":
        return Coefficient(of_target=value[:, None].expand(-1, neurons))
    if chosen.form == "target":
        return Coefficient(of_target=value)
    if chosen.form == "source":
        return Coefficient(of_source=value)
    if chosen.form == "rank_one":
        return Coefficient(value[:, 0], value[:, 1])
    if chosen.form == "connection":
        return Coefficient(of_pair=value)
    type_N = types_of(chosen, groups).to(value.device)
    if chosen.form in ("cell_types", "groups"):
        return Coefficient(of_pair=value[:, type_N[:, None], type_N[None, :]])
    if chosen.assignment == "target_type":
        return Coefficient(of_target=value[:, type_N])
    return Coefficient(of_pair=value[:, clusters(chosen, neurons).to(value.device)])


def types_of(chosen: Evolvable, groups: NeuronGroups) -> Tensor:
    """The type [N] of each neuron, as a form that has types sees it."""
    if chosen.form == "groups":
        return torch.tensor(groups.group_of_each)
    assert chosen.number is not None
    return cell_types(groups.num_neurons, chosen.number)


def cell_types(num_neurons: int, number: int) -> Tensor:
    """The type [N] of each neuron: they are dealt in turn."""
    return torch.arange(num_neurons) % number


def clusters(chosen: Evolvable, num_neurons: int) -> Tensor:
    """The cluster [N, N] of each connection: drawn once for all, whatever the run's seed."""
    assert chosen.number is not None
    stream = FIRST_STREAM + chosen.stream
    drawn = words(0, Purpose.GENOME, 0, stream, 0, num_neurons**2)
    return torch.from_numpy(bounded(drawn, chosen.number)).view(num_neurons, num_neurons)
