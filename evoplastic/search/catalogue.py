"""The table of searches; a new search is one entry here."""

from __future__ import annotations

from typing import Any, Protocol

from evoplastic.entries import Entry, table
from evoplastic.genome.layout import Layout
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy
from evoplastic.search.protocol import AnySearch


class MakeSearch(Protocol):
    """How an entry is made a search of a run."""

    def __call__(self, options: Any, layout: Layout, *, seed: int, engine: str) -> AnySearch:
        """A search with these options.

        Args:
            options: an instance of the entry's options.
            layout: of the genomes.
            seed: run seed, from whose counters everything random is drawn.
            engine: who simulates the individuals, and may draw and sum their mutations.
        """
        ...


SEARCHES: dict[str, Entry[MakeSearch]] = table(
    Entry[MakeSearch](
        title="antithetic evolution strategy with a fixed standard deviation and Adam",
        source="Sehnke et al. 2010 (PGPE); Miconi 2023 (ICML), section 2.5",
        options=ESConfig,
        build=EvolutionStrategy,
    ),
)
