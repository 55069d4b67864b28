"""Where each field lies in a flat genome, and what holds for every number of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from evoplastic.checks import require, require_known
from evoplastic.genome.catalogue import PUBLISHED
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.fields import Field
from evoplastic.network.neurons import NeuronGroups


@dataclass(frozen=True)
class Layout:
    """Flat genomes [P, G] <-> named tensors, the fields end to end in their order.

    Raises:
        UsageError: no field, or two of one name.
    """

    groups: NeuronGroups
    fields: tuple[Field, ...] = PUBLISHED

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        require(len(names) > 0, "a genome has no field, expected at least one")
        require(len(set(names)) == len(names), f"fields {names} of a genome, one name twice")

    def __getstate__(self) -> dict[str, object]:
        """What travels; masks are made anew where they are needed."""
        return {"groups": self.groups, "fields": self.fields}

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each field lies in the flat genome."""
        found, start = {}, 0
        for field in self.fields:
            stop = start + math.prod(field.sizes(self.groups))
            found[field.name] = slice(start, stop)
            start = stop
        return found

    @property
    def size(self) -> int:
        """G, numbers of a genome."""
        return self.slices[self.fields[-1].name].stop

    @cached_property
    def mask_G(self) -> Tensor:
        """True where evolution may mutate."""
        return torch.cat([field.mask(self.groups).reshape(-1) for field in self.fields])

    @cached_property
    def unit_G(self) -> Tensor:
        """The scale of each gene, whether it may mutate or not; float32."""
        return torch.cat([field.scales(self.groups).reshape(-1) for field in self.fields])

    @cached_property
    def scale_G(self) -> Tensor:
        """The scale of each gene's mutations, 0 where evolution may not mutate; float32."""
        return torch.where(self.mask_G, self.unit_G, torch.zeros(()))

    def stepped(self, before_G: Tensor, after_G: Tensor) -> Tensor:
        """Where a step in units of scales leads that was taken as if all of them were 1.

        before + scale (after - before),     before where evolution may not mutate
        """
        scaled_G = before_G + self.unit_G * (after_G - before_G)
        moved_G = torch.where(self.unit_G == 1.0, after_G, scaled_G)
        return torch.where(self.mask_G, moved_G, before_G)

    def split(self, flat_PG: Tensor) -> dict[str, Tensor]:
        """Views [P, ...] of each field's stored numbers into flat genomes [P, G].

        Raises:
            UsageError: the genome length is not that of the layout.
        """
        require(
            flat_PG.ndim == 2 and flat_PG.shape[1] == self.size,
            f"genomes have shape {tuple(flat_PG.shape)}, expected (P, G) with G = {self.size} "
            f"for {self.groups.num_neurons} neurons",
        )
        return {
            field.name: flat_PG[:, self.slices[field.name]].view(
                len(flat_PG), *field.sizes(self.groups)
            )
            for field in self.fields
        }

    def values(self, flat_PG: Tensor, *, without: Sequence[str] = ()) -> dict[str, Tensor]:
        """The values [P, ...] of each field; views where the field has no transform.

        Args:
            flat_PG: genomes, on any device.
            without: fields that are 0 instead.

        Raises:
            UsageError: the genome length is not that of the layout, or there is no such field.
        """
        stored = self.split(flat_PG)
        values = {field.name: field.decode(stored[field.name]) for field in self.fields}
        for name in without:
            require_known("field of the genome", name, values)
            values[name] = torch.zeros_like(values[name])
        return values

    def join(self, values: Mapping[str, Tensor]) -> Tensor:
        """The flat genome [G], float32, of one network's values.

        Raises:
            UsageError: a field is missing, unknown, or of another shape.
        """
        known = {field.name: field for field in self.fields}
        return self.flatten(
            {
                name: known[name].encode(value) if name in known else value
                for name, value in values.items()
            }
        )

    def flatten(self, stored: Mapping[str, Tensor]) -> Tensor:
        """The flat genome [G], float32, of the stored numbers of one network's fields.

        Raises:
            UsageError: a field is missing, unknown, or of another shape.
        """
        names = [field.name for field in self.fields]
        require(
            set(stored) == set(names),
            f"a genome of the fields {sorted(stored)} came, expected {sorted(names)}",
        )
        for field in self.fields:
            shape, expected = tuple(stored[field.name].shape), field.sizes(self.groups)
            require(
                shape == expected,
                f"field {field.name!r} has shape {shape}, expected {expected} for "
                f"{self.groups.num_neurons} neurons",
            )
        return torch.cat([stored[name].reshape(-1) for name in names]).to(torch.float32)

    def initial(self, seed: int, config: GenomeConfig) -> Tensor:
        """The flat genome [G] that a run with this seed starts from."""
        return self.join(
            {field.name: field.init(self.groups, seed, config) for field in self.fields}
        )

    def project(self, flat_G: Tensor) -> Tensor:
        """The nearest flat genome [G] within the bounds of all fields."""
        within_G = flat_G.clone()
        for field in self.fields:
            lower, upper = field.stored_bounds
            if lower is not None or upper is not None:
                part = self.slices[field.name]
                within_G[part] = within_G[part].clamp(min=lower, max=upper)
        return within_G

    def place(self, gene: int) -> str:
        """The name of one number, for messages: `alpha[2, 5]`."""
        for field in self.fields:
            part = self.slices[field.name]
            if part.start <= gene < part.stop:
                index, sizes = gene - part.start, field.sizes(self.groups)
                places: list[str] = []
                for size in reversed(sizes):
                    index, place = divmod(index, size)
                    places.insert(0, str(place))
                return f"{field.name}[{', '.join(places)}]" if places else field.name
        raise IndexError(f"gene {gene} of a genome of {self.size}")
