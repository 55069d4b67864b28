"""The first genome of a run from a genome of another one, of the same or of another layout.

A number keeps its place by meaning: the k-th neuron of a group stays the k-th neuron of that group,
a connection stays between its two neurons, a modulator keeps its number. All that the genome has no
number for begins as in a run of its own, by the `init` of its field.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.fields import Field
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.genome.parents import OPERATOR, WARM_START
from evoplastic.network.neurons import GROUPS, NeuronGroups


class WarmStart(NamedTuple):
    """The genome that a run was told to begin with, and its own first one."""

    source: Genome
    first: Genome
    filled: tuple[str, ...] = ()  # what begins anew, in words
    dropped: tuple[str, ...] = ()  # what of the source is not used
    moved: tuple[str, ...] = ()  # what lay out of bounds and was put on them


def warm_start(
    source: Genome, layout: Layout, seed: int, config: GenomeConfig, *, adapt: bool
) -> WarmStart:
    """The first genome of a run that goes on from another genome.

    Args:
        source: to go on from.
        layout: of the run.
        seed: of the run, for what begins anew.
        config: how genomes of the run begin.
        adapt: whether fields, neurons and lines may differ.

    Raises:
        UsageError: they differ and may not, with both lists.
    """
    filled, dropped = _differences(source.layout, layout)
    if not filled and not dropped:
        center_G = source.center_G
    else:
        require(adapt, _refusal(source.layout, layout, filled, dropped))
        center_G = _adapted(source, layout, seed, config)
    within_G = layout.project(center_G)
    moved = tuple(
        f"{int(off.sum())} numbers of {field.name}"
        for field in layout.fields
        if bool((off := (within_G != center_G)[layout.slices[field.name]]).any())
    )
    require(
        adapt or not moved,
        f"the genome has {', '.join(moved)} out of the bounds of the recipe; widen them, or put "
        "the numbers on the bounds with --adapt (adapt=True)",
    )
    provenance = {OPERATOR: WARM_START, "origin": WARM_START}
    for word, what in (("filled", filled), ("dropped", dropped), ("moved", moved)):
        if what:
            provenance[word] = "; ".join(what)
    first = Genome(layout, within_G, provenance, (source.as_parent,))
    return WarmStart(source, first, filled, dropped, moved)


def _differences(old: Layout, new: Layout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What of the new layout the old one has no numbers for, and the other way round."""
    filled, dropped = _fields_beyond(new, old), _fields_beyond(old, new)
    for group in GROUPS:
        had, has = _count(old.groups, group), _count(new.groups, group)
        if has > had:
            filled.append(f"{has - had} {group} neurons")
        elif had > has:
            dropped.append(f"{had - has} {group} neurons")
    return tuple(filled), tuple(dropped)


def _fields_beyond(layout: Layout, other: Layout) -> list[str]:
    """Fields that the other layout lacks, or has in another form."""
    known = {field.name: field.shape for field in other.fields}
    return [
        f"field {field.name} ({field.shape})"
        for field in layout.fields
        if known.get(field.name) != field.shape
    ]


def _refusal(old: Layout, new: Layout, filled: tuple[str, ...], dropped: tuple[str, ...]) -> str:
    lacking = f"the genome lacks {', '.join(filled)}" if filled else ""
    beyond = f"the recipe lacks {', '.join(dropped)}" if dropped else ""
    return (
        f"the genome has {_in_words(old)}; the recipe has {_in_words(new)}: "
        f"{'; '.join(each for each in (lacking, beyond) if each)}. With --adapt (adapt=True) what "
        "the genome lacks begins as the recipe says, and what the recipe lacks is dropped; or "
        "choose a recipe of the genome's fields and sizes"
    )


def _in_words(layout: Layout) -> str:
    fields = ", ".join(f"{field.name} ({field.shape})" for field in layout.fields)
    groups = layout.groups
    return (
        f"the fields {fields} for {groups.num_neurons} neurons ({groups.num_inputs} stimulus, "
        f"{groups.num_modulators} modulatory, {groups.num_outputs} response)"
    )


def _adapted(source: Genome, layout: Layout, seed: int, config: GenomeConfig) -> Tensor:
    old, new = source.layout, layout
    had, values = {field.name: field for field in old.fields}, source.values
    joined: dict[str, Tensor] = {}
    for field in new.fields:
        begun = field.init(new.groups, seed, config).clone()
        if field.name in had and had[field.name].shape == field.shape:
            _carry_over(values[field.name], begun, field, old.groups, new.groups)
        joined[field.name] = begun
    return new.join(joined)


def _carry_over(
    value: Tensor, begun: Tensor, field: Field, old: NeuronGroups, new: NeuronGroups
) -> None:
    """Write what the old value has a place for into the new one."""
    neurons = _shared_neurons(old, new)
    modulators = min(old.num_modulators, new.num_modulators)
    few = torch.arange(modulators), torch.arange(modulators)
    axes = {
        "scalar": (),
        "N": (neurons,),
        "NN": (neurons, neurons),
        "N_modulators": (neurons, few),
        "rank_one": ((torch.arange(2), torch.arange(2)), neurons),
    }.get(field.shape)
    if not axes:  # one number, or one for each type or cluster, whose number the shape says
        begun.copy_(value)
        return
    from_, to = (torch.meshgrid(*(axis[side] for axis in axes), indexing="ij") for side in (0, 1))
    begun[to] = value[from_]


def _shared_neurons(old: NeuronGroups, new: NeuronGroups) -> tuple[Tensor, Tensor]:
    """Neurons of the old network that the new one has, and which ones they are there."""
    pairs = [
        (old.rows_of(group).start + place, new.rows_of(group).start + place)
        for group in GROUPS
        for place in range(min(_count(old, group), _count(new, group)))
    ]
    return torch.tensor([pair[0] for pair in pairs]), torch.tensor([pair[1] for pair in pairs])


def _count(groups: NeuronGroups, group: str) -> int:
    rows = groups.rows_of(group)
    return rows.stop - rows.start
