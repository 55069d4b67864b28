"""Mutations of low rank as functions of (run seed, generation, pair), made where they are needed.

    a matrix of m x n numbers mutates by   sigma / sqrt(r) * A B^T,   A [m, r], B [n, r] ~ N(0, 1)

Every number of it then has mean 0 and variance sigma^2. Where r (m + n) >= m n, and in fields that
are no matrices, each number has a draw of its own. A pair draws from the stream of its number,
field after field. Products are summed over r in order, so that the bits do not depend on a library.

Source: Sarkar et al. 2025 (arXiv 2511.16652), EGGROLL, section 4.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evoplastic.genome.layout import Layout
from evoplastic.random.counters import Purpose, normal
from evoplastic.search.low_rank.config import LowRankESConfig

Float32Array = NDArray[np.float32]


class LowRankMutations:
    """The mutations of genomes of one layout; final."""

    def __init__(self, layout: Layout, options: LowRankESConfig, seed: int) -> None:
        """Take the layout, the options and the run seed."""
        self._options, self._seed = options, seed
        self._size = layout.size
        self._fields = [
            (layout.slices[field.name], field.sizes(layout.groups)) for field in layout.fields
        ]
        self._es, self._scale_G = options.es, layout.scale_G.numpy()
        self._draws = sum(self._draws_of(sizes) for _, sizes in self._fields)

    @property
    def draws(self) -> int:
        """Random numbers that one mutation takes."""
        return self._draws

    def of_pair(self, generation: int, pair: int) -> Float32Array:
        """The mutation [G] of a pair; that of an unmutated pair is 0."""
        if self._options.unmutated_pair and pair == 0:
            return np.zeros(self._size, dtype=np.float32)
        row = normal(self._seed, Purpose.MUTATION, generation, pair, self._draws)
        unit_G = np.empty(self._size, dtype=np.float32)
        start = 0
        for part, sizes in self._fields:
            stop = start + self._draws_of(sizes)
            unit_G[part] = self._unit(row[start:stop], sizes)
            start = stop
        size_G = np.float32(self._es.sigma_at(generation)) * self._scale_G
        return size_G * unit_G

    def _low_rank(self, sizes: tuple[int, ...]) -> bool:
        rank = self._options.rank
        return len(sizes) == 2 and rank * sum(sizes) < math.prod(sizes)

    def _draws_of(self, sizes: tuple[int, ...]) -> int:
        return self._options.rank * sum(sizes) if self._low_rank(sizes) else math.prod(sizes)

    def _unit(self, draws: Float32Array, sizes: tuple[int, ...]) -> Float32Array:
        """A field's mutation of variance 1, flat."""
        if not self._low_rank(sizes):
            return draws
        rank, (rows, columns) = self._options.rank, sizes
        a_RM = draws[: rank * rows].reshape(rank, rows)
        b_RN = draws[rank * rows :].reshape(rank, columns)
        product_MN = np.multiply.outer(a_RM[0], b_RN[0])
        for factor in range(1, rank):
            product_MN += np.multiply.outer(a_RM[factor], b_RN[factor])
        flat: Float32Array = product_MN.reshape(-1) * np.float32(1.0 / math.sqrt(rank))
        return flat
