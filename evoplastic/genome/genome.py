"""A genome: innate weights w and plasticity coefficients alpha, flat for the search, else named.

Kept as safetensors: named tensors and a JSON header, nothing that runs when it is read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evoplastic.checks import UsageError, require
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.counters import Purpose, normal
from evoplastic.search.config import EvolutionConfig
from evoplastic.storage import read_tensors, write_tensors

SCHEMA = "evoplastic/genome/1"


@dataclass(frozen=True)
class GenomeLayout:
    """Flat vector [P, G] <-> named tensors: w [N, N], then alpha [N, N], row = receiving neuron."""

    groups: NeuronGroups

    @property
    def size(self) -> int:
        """G = 2 N^2."""
        return 2 * self.groups.num_neurons**2

    def split(self, flat_PG: Tensor) -> PlasticParams:
        """Views of w and alpha, each [P, N, N], into flat genomes [P, G].

        Raises:
            UsageError: the genome length is not that of the layout.
        """
        require(
            flat_PG.ndim == 2 and flat_PG.shape[1] == self.size,
            f"genomes have shape {tuple(flat_PG.shape)}, expected (P, G) with G = {self.size} "
            f"for {self.groups.num_neurons} neurons",
        )
        neurons = self.groups.num_neurons
        w_alpha = flat_PG.view(len(flat_PG), 2, neurons, neurons)
        return PlasticParams(w_PNN=w_alpha[:, 0], alpha_PNN=w_alpha[:, 1])

    def join(self, w_NN: Tensor, alpha_NN: Tensor) -> Tensor:
        """The flat genome [G] of one network."""
        return torch.cat([w_NN.reshape(-1), alpha_NN.reshape(-1)]).to(torch.float32)

    @property
    def mask_G(self) -> Tensor:
        """True where evolution may mutate; rows of w of unconnected neurons stay 0."""
        neurons = self.groups.num_neurons
        mask = torch.ones(2, neurons, neurons, dtype=torch.bool)
        mask[0, : self.groups.num_unconnected] = False
        return mask.reshape(-1)

    @property
    def alpha_slice(self) -> slice:
        """Where alpha lies in the flat genome."""
        return slice(self.size // 2, self.size)


@dataclass(frozen=True, eq=False)
class Genome:
    """One network's genome with its neuron groups and where it came from."""

    groups: NeuronGroups
    center_G: Tensor  # float32
    provenance: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = GenomeLayout(self.groups).size
        require(
            tuple(self.center_G.shape) == (size,) and self.center_G.dtype == torch.float32,
            f"genome has shape {tuple(self.center_G.shape)} ({self.center_G.dtype}), expected "
            f"({size},) float32 for {self.groups.num_neurons} neurons",
        )
        finite = torch.isfinite(self.center_G)
        if not bool(finite.all()):
            first = int((~finite).nonzero()[0])
            name, rest = divmod(first, size // 2)
            row, column = divmod(rest, self.groups.num_neurons)
            raise UsageError(
                f"genome holds {int((~finite).sum())} values that are not finite, the first at "
                f"{('w', 'alpha')[name]}[{row}, {column}]"
            )

    @property
    def w_NN(self) -> Tensor:
        """Innate weights, row = receiving neuron."""
        return GenomeLayout(self.groups).split(self.center_G[None]).w_PNN[0]

    @property
    def alpha_NN(self) -> Tensor:
        """Plasticity coefficients, row = receiving neuron."""
        return GenomeLayout(self.groups).split(self.center_G[None]).alpha_PNN[0]

    @property
    def digest(self) -> str:
        """SHA-256 of the neuron groups and the values; provenance does not enter."""
        content = hashlib.sha256(json.dumps(self.groups.describe(), sort_keys=True).encode())
        content.update(self.center_G.contiguous().numpy().astype("<f4").tobytes())
        return content.hexdigest()

    @classmethod
    def random(cls, groups: NeuronGroups, seed: int, config: EvolutionConfig) -> Genome:
        """The first genome of a run: w ~ N(0, init_gain^2 / N), alpha = init_alpha.

        Rows of w of unconnected and of modulatory neurons start at 0 (Miconi 2023, code).
        """
        neurons = groups.num_neurons
        draws = normal(seed, Purpose.GENOME, 0, 0, neurons * neurons)
        gain = np.float32(config.init_gain / np.sqrt(neurons))
        w_NN = torch.from_numpy(draws * gain).view(neurons, neurons)
        w_NN[: groups.num_unconnected] = 0.0
        w_NN[groups.modulators] = 0.0
        alpha_NN = torch.full((neurons, neurons), config.init_alpha)
        return cls(groups, GenomeLayout(groups).join(w_NN, alpha_NN), {"origin": f"random {seed}"})

    @classmethod
    def from_text(
        cls, w_path: Path, alpha_path: Path, num_inputs: int = 2, num_outputs: int = 2
    ) -> Genome:
        """Import the matrices that the published code saves (np.savetxt, row = receiving neuron).

        Raises:
            UsageError: a file cannot be read, is not square, or the two differ in size.
        """
        w, alpha = (_read_square(path) for path in (w_path, alpha_path))
        require(
            w.shape == alpha.shape,
            f"{w_path} is {w.shape}, {alpha_path} is {alpha.shape}; both must be (N, N)",
        )
        groups = NeuronGroups(num_neurons=len(w), num_inputs=num_inputs, num_outputs=num_outputs)
        w_NN = torch.from_numpy(w.astype(np.float32))
        w_NN[: groups.num_unconnected] = 0.0
        flat = GenomeLayout(groups).join(w_NN, torch.from_numpy(alpha.astype(np.float32)))
        origin = f"imported from {Path(w_path).name} and {Path(alpha_path).name}"
        return cls(groups, flat, {"origin": origin})

    def save(self, path: Path) -> None:
        """Write w, alpha and the header, whole or not at all.

        Raises:
            EnvironmentFault: the file cannot be written.
        """
        header = {
            "schema": SCHEMA,
            "groups": self.groups.describe(),
            "provenance": self.provenance,
            "digest": self.digest,
        }
        tensors = {"w": self.w_NN.contiguous(), "alpha": self.alpha_NN.contiguous()}
        write_tensors(Path(path), tensors, header)

    @classmethod
    def load(cls, path: Path) -> Genome:
        """Read and verify a genome.

        Raises:
            UsageError: naming the file, when it is missing, truncated, altered, or no genome.
        """
        tensors, header = read_tensors(Path(path), SCHEMA, "genome")
        try:
            groups = NeuronGroups(**header["groups"])
            flat = GenomeLayout(groups).join(tensors["w"], tensors["alpha"])
            genome = cls(groups, flat, dict(header["provenance"]))
        except (KeyError, TypeError, UsageError) as error:
            raise UsageError(f"{path} is not a whole genome: {error}") from error
        require(
            genome.digest == header.get("digest"),
            f"{path} is corrupt: its content does not match its digest; restore it from a copy",
        )
        return genome

    def describe(self) -> dict[str, Any]:
        """Everything `evoplastic genome show` prints."""
        w_NN, alpha_NN = self.w_NN, self.alpha_NN
        neurons = self.groups.num_neurons
        w_eigenvalues = torch.linalg.eigvals(w_NN.to(torch.float64))
        return {
            "digest": self.digest,
            "genome_length": len(self.center_G),
            "neurons": neurons,
            "groups": {
                "stimulus": self.groups.num_inputs,
                "feedback": self.groups.feedback.stop - self.groups.feedback.start,
                "bias": 1,
                "action_signal": self.groups.num_outputs,
                "hidden": self.groups.modulators.start - self.groups.num_clamped,
                "modulators": self.groups.modulators.stop - self.groups.modulators.start,
                "response": self.groups.num_outputs,
            },
            "w": {**_spread(w_NN), "spectral_radius": float(w_eigenvalues.abs().max())},
            "alpha": _spread(alpha_NN),
            "provenance": self.provenance,
        }


def _spread(values: Tensor) -> dict[str, float]:
    return {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "max": float(values.max()),
    }


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
