"""The table of searches; a new search is one entry here."""

from __future__ import annotations

from typing import Any, Protocol

from evoplastic.entries import Entry, table
from evoplastic.genome.layout import Layout
from evoplastic.search.adapted.adapter import adapted
from evoplastic.search.adapted.cem import CEM, CEMConfig
from evoplastic.search.adapted.cmaes import CMAES, CMAESConfig
from evoplastic.search.adapted.cosyne import Cosyne, CosyneConfig
from evoplastic.search.adapted.genetic import GA, GAConfig, SteadyStateGA, SteadyStateGAConfig
from evoplastic.search.adapted.map_elites import MAPElites, MAPElitesConfig
from evoplastic.search.adapted.nes import SNES, XNES, SNESConfig, XNESConfig
from evoplastic.search.adapted.pgpe import PGPE, PGPEConfig
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy
from evoplastic.search.gradient.config import GradientConfig
from evoplastic.search.gradient.search import GradientSearch
from evoplastic.search.low_rank.config import LowRankESConfig
from evoplastic.search.low_rank.search import LowRankES
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
    Entry[MakeSearch](
        title="the same with mutations of low rank, for large networks",
        source="Sarkar et al. 2025 (arXiv 2511.16652), EGGROLL",
        options=LowRankESConfig,
        build=LowRankES,
    ),
    Entry[MakeSearch](
        title="policy gradients with parameter-based exploration, with Adam or ClipUp",
        source="Sehnke et al. 2010 (Neural Networks 23); Toklu et al. 2020 (PPSN)",
        options=PGPEConfig,
        build=adapted(PGPE),
    ),
    Entry[MakeSearch](
        title="cross-entropy method: the next Gaussian is that of the best",
        source="Rubinstein 1999; Duan et al. 2016 (ICML)",
        options=CEMConfig,
        build=adapted(CEM),
    ),
    Entry[MakeSearch](
        title="natural evolution strategy with a standard deviation for each number",
        source="Schaul et al. 2011 (GECCO); Wierstra et al. 2014 (JMLR 15)",
        options=SNESConfig,
        build=adapted(SNES),
    ),
    Entry[MakeSearch](
        title="natural evolution strategy with a full covariance, for small genomes",
        source="Glasmachers et al. 2010 (GECCO); Wierstra et al. 2014 (JMLR 15)",
        options=XNESConfig,
        build=adapted(XNES),
    ),
    Entry[MakeSearch](
        title="covariance matrix adaptation, separable or with a full covariance",
        source="Hansen 2016 (arXiv 1604.00772); Ros & Hansen 2008 (PPSN)",
        options=CMAESConfig,
        build=adapted(CMAES),
    ),
    Entry[MakeSearch](
        title="genetic algorithm: the best of parents and children stay",
        source="Luke 2013; Such et al. 2017 (arXiv 1712.06567)",
        options=GAConfig,
        build=adapted(GA),
    ),
    Entry[MakeSearch](
        title="steady-state genetic algorithm: few children at a time",
        source="Whitley 1989 (ICGA)",
        options=SteadyStateGAConfig,
        build=adapted(SteadyStateGA),
    ),
    Entry[MakeSearch](
        title="cooperative coevolution of single numbers of the genome",
        source="Gomez et al. 2008 (JMLR 9)",
        options=CosyneConfig,
        build=adapted(Cosyne),
    ),
    Entry[MakeSearch](
        title="the best individual of each kind of behaviour, and mutants of all of them",
        source="Mouret & Clune 2015 (arXiv 1504.04909), MAP-Elites",
        options=MAPElitesConfig,
        build=adapted(MAPElites),
    ),
    Entry[MakeSearch](
        title="gradient through the lifetime, unrolled, with Adam and gradient clipping",
        source="Miconi, Stanley & Clune 2018 (ICML); Miconi et al. 2019 (ICLR), Backpropamine",
        options=GradientConfig,
        build=GradientSearch,
    ),
)
