"""Genomes from the text matrices that published code saves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from evoplastic.checks import UsageError, require, require_known
from evoplastic.genome.catalogue import FIELDS
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups


def genome_from_text(
    paths: Mapping[str, Path], num_inputs: int = 2, num_outputs: int = 2
) -> Genome:
    """Import matrices (np.savetxt, row = receiving neuron), one file per field.

    What evolution may not change is 0, whatever the file holds there.

    Args:
        paths: the file of each field, by the field's name, in the order of the genome.
        num_inputs: stimulus lines of the network.
        num_outputs: its actions.

    Raises:
        UsageError: no such field, a file that cannot be read or is not square, or files that
            differ in size.
    """
    for name in paths:
        require_known("field of a genome", name, FIELDS)
    matrices = {name: _read_square(path) for name, path in paths.items()}
    sizes = {len(matrix) for matrix in matrices.values()}
    require(
        len(sizes) == 1,
        ", ".join(f"{paths[name]} is {matrix.shape}" for name, matrix in matrices.items())
        + "; all must be (N, N)",
    )
    groups = NeuronGroups(num_neurons=sizes.pop(), num_inputs=num_inputs, num_outputs=num_outputs)
    layout = Layout(groups, tuple(FIELDS[name] for name in paths))
    values = {}
    for field in layout.fields:
        value = torch.from_numpy(matrices[field.name].astype(np.float32))
        value[~field.mask(groups)] = 0.0
        values[field.name] = value
    origin = "imported from " + " and ".join(Path(path).name for path in paths.values())
    return Genome(layout, layout.join(values), {"origin": origin})


def _read_square(path: Path) -> np.ndarray:
    try:
        matrix = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path} as a matrix of numbers: {error}") from error
    require(
        matrix.shape[0] == matrix.shape[1],
        f"{path} holds a {matrix.shape[0]} x {matrix.shape[1]} matrix, expected N x N "
        "(row = receiving neuron)",
    )
    return matrix
