"""Genomes in numbers a reader can use: what one is, and how far two lie apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.genome import Genome


def describe_genome(genome: Genome) -> dict[str, Any]:
    """Everything `evoplastic genome show` prints: sizes, each field's spread, where it came from.

    A square field also has its spectral radius, the largest modulus of its eigenvalues.
    """
    groups = genome.groups
    return {
        "digest": genome.digest,
        "genome_length": len(genome.center_G),
        "neurons": groups.num_neurons,
        "groups": {
            "stimulus": groups.num_inputs,
            "feedback": groups.feedback.stop - groups.feedback.start,
            "bias": 1,
            "action_signal": groups.num_outputs,
            "hidden": groups.modulators.start - groups.num_clamped,
            "modulators": groups.modulators.stop - groups.modulators.start,
            "response": groups.num_outputs,
        },
        **{name: _spread(value) for name, value in genome.values.items()},
        "provenance": genome.provenance,
        "parents": [parent._asdict() for parent in genome.parents],
    }


def distances(old: Genome, new: Genome) -> dict[str, dict[str, float]]:
    """For each field, how far two genomes lie apart.

    Raises:
        UsageError: genomes of different neuron groups or fields.
    """
    require(
        old.groups == new.groups,
        f"the old genome has {old.groups.describe()}, the new one {new.groups.describe()}; "
        "only genomes with the same neuron groups can be compared",
    )
    require(
        list(old.values) == list(new.values),
        f"the old genome has the fields {list(old.values)}, the new one {list(new.values)}; "
        "only genomes of the same fields can be compared",
    )
    return {name: _distance(value, new.values[name]) for name, value in old.values.items()}


def _spread(values: Tensor) -> dict[str, float]:
    found = {
        "mean": float(values.mean()),
        "std": float(values.std(correction=min(1, values.numel() - 1))),
        "min": float(values.min()),
        "max": float(values.max()),
    }
    if values.ndim == 2 and values.shape[0] == values.shape[1]:
        eigenvalues = torch.linalg.eigvals(values.to(torch.float64))
        found["spectral_radius"] = float(eigenvalues.abs().max())
    return found


def _distance(old: Tensor, new: Tensor) -> dict[str, float]:
    old, new = old.double(), new.double()
    centered_old, centered_new = old - old.mean(), new - new.mean()
    scale = float(centered_old.norm() * centered_new.norm())
    return {
        "old_norm": float(old.norm()),
        "new_norm": float(new.norm()),
        "distance": float((new - old).norm()),
        "largest_change": float((new - old).abs().max()),
        # A constant field (alpha at birth) correlates with nothing.
        "correlation": float((centered_old * centered_new).sum()) / scale if scale else 0.0,
    }
