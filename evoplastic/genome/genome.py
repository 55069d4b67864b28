"""A genome: the fields of one network, flat for the search, else named.

Kept as safetensors: named tensors and a JSON header, nothing that runs when it is read. The header
names the fields; files of the first schema, which held w and alpha without saying so, are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evoplastic.checks import UsageError, require, require_known
from evoplastic.genome.catalogue import FIELDS, PUBLISHED
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.evolved import PREFIXES, read_field
from evoplastic.genome.fields import Field
from evoplastic.genome.layout import Layout
from evoplastic.genome.parents import OPERATOR, RANDOM, Parent, as_parent, read_parents
from evoplastic.genome.parents import described as described_parents
from evoplastic.network.neurons import NeuronGroups
from evoplastic.storage import read_tensors, write_tensors

SCHEMA, FIRST_SCHEMA = "evoplastic/genome/2", "evoplastic/genome/1"


@dataclass(frozen=True, eq=False)
class Genome:
    """One network's genome with its layout and where it came from.

    Raises:
        UsageError: a genome of another length or type than its layout's, or numbers that are not
            finite (naming the first).
    """

    layout: Layout
    center_G: Tensor  # float32
    provenance: dict[str, str] = field(default_factory=dict)
    parents: tuple[Parent, ...] = ()
    run_config: Path | None = None  # configuration of the run whose file it was read from

    def __post_init__(self) -> None:
        size = self.layout.size
        require(
            tuple(self.center_G.shape) == (size,) and self.center_G.dtype == torch.float32,
            f"genome has shape {tuple(self.center_G.shape)} ({self.center_G.dtype}), expected "
            f"({size},) float32 for {self.groups.num_neurons} neurons",
        )
        finite = torch.isfinite(self.center_G)
        if not bool(finite.all()):
            first = int((~finite).nonzero()[0])
            raise UsageError(
                f"genome holds {int((~finite).sum())} values that are not finite, the first at "
                f"{self.layout.place(first)}"
            )

    @property
    def groups(self) -> NeuronGroups:
        """Which neuron does what."""
        return self.layout.groups

    @property
    def values(self) -> dict[str, Tensor]:
        """The values of each field, row = receiving neuron."""
        values = self.layout.values(self.center_G[None])
        return {name: value[0] for name, value in values.items()}

    @property
    def operator(self) -> str:
        """How it was made of its parents, "" where that is not known."""
        return self.provenance.get(OPERATOR, "")

    @property
    def as_parent(self) -> Parent:
        """This genome as the parent of another one."""
        return as_parent(self.digest, self.provenance)

    @property
    def digest(self) -> str:
        """SHA-256 of the neuron groups and the values; provenance does not enter.

        Fields other than the published ones enter with name, shape and transform.
        """
        content = hashlib.sha256(json.dumps(self.groups.describe(), sort_keys=True).encode())
        if _identity(self.layout.fields) != _identity(PUBLISHED):
            content.update(json.dumps(_identity(self.layout.fields)).encode())
        content.update(self.center_G.contiguous().numpy().astype("<f4").tobytes())
        return content.hexdigest()

    @classmethod
    def random(cls, layout: Layout, seed: int, config: GenomeConfig) -> Genome:
        """The first genome of a run: each field as its own entry begins (Miconi 2023, code)."""
        made = {"origin": f"random {seed}", OPERATOR: RANDOM}
        return cls(layout, layout.initial(seed, config), made)

    def save(self, path: Path) -> None:
        """Write the fields and the header, whole or not at all.

        Raises:
            EnvironmentFault: the file cannot be written.
        """
        header = {
            "schema": SCHEMA,
            "groups": self.groups.describe(),
            "fields": _described(self.layout),
            "provenance": self.provenance,
            "parents": described_parents(self.parents),
            "digest": self.digest,
        }
        stored = self.layout.split(self.center_G[None])
        tensors = {name: tensor[0].contiguous() for name, tensor in stored.items()}
        write_tensors(Path(path), tensors, header)

    @classmethod
    def load(cls, path: Path) -> Genome:
        """Read and verify a genome.

        Raises:
            UsageError: naming the file, when it is missing, truncated, altered, or no genome, or
                has fields that this version does not know.
        """
        tensors, header = read_tensors(Path(path), (SCHEMA, FIRST_SCHEMA), "genome")
        try:
            layout = Layout(NeuronGroups(**_whole(header["groups"])), _fields(header))
            provenance = _texts(header["provenance"])
            parents = read_parents(header, provenance)
            genome = cls(layout, layout.flatten(tensors), provenance, parents)
        except (KeyError, TypeError, AttributeError, RuntimeError, UsageError) as error:
            raise UsageError(f"{path} is not a whole genome: {error}") from error
        require(
            genome.digest == header.get("digest"),
            f"{path} is corrupt: its content does not match its digest; restore it from a copy",
        )
        return genome


def _whole(groups: Mapping[str, Any]) -> dict[str, int]:
    """Sizes of neuron groups; 2.0 is none, it would index nothing."""
    for name, size in groups.items():
        require(type(size) is int, f"{name} is {size!r}, expected a whole number")
    return dict(groups)


def _texts(provenance: Any) -> dict[str, str]:
    require(
        isinstance(provenance, dict) and all(isinstance(text, str) for text in provenance.values()),
        f"provenance is {provenance!r:.100}, expected texts by name",
    )
    return dict(provenance)


def _identity(fields: Sequence[Field]) -> list[tuple[str, str, str]]:
    return [(field.name, field.shape, field.transform) for field in fields]


def _described(layout: Layout) -> list[dict[str, Any]]:
    return [
        {**field.describe(), "sizes": list(field.sizes(layout.groups))} for field in layout.fields
    ]


def _fields(header: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields that a header names, as this version knows them."""
    if header["schema"] == FIRST_SCHEMA:
        return PUBLISHED
    found = []
    for written in header["fields"]:
        name = written["name"]
        if isinstance(name, str) and name.startswith(PREFIXES):
            found.append(read_field(written))
            continue
        require_known("field of a genome", name, FIELDS)
        known = FIELDS[name]
        for key in ("shape", "transform"):
            require(
                written[key] == getattr(known, key),
                f"field {known.name!r} has {key} {written[key]!r}, this version expects "
                f"{getattr(known, key)!r}; read the file with the version that wrote it",
            )
        found.append(known)
    return tuple(found)
