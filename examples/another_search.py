"""Another search, used by name: the center moves to the mean of the better half of its mutants.

A search proposes genomes, is told their losses, and says where its center is; its state is tensors,
so that runs with it stop and go on like any other. docs/extending.md has the same one as a file of
the project, with every check.
"""

import sys
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

import evoplastic as ep
from evoplastic.entries import Entry
from evoplastic.random.counters import Purpose, normal
from evoplastic.search.catalogue import SEARCHES
from evoplastic.search.proposals import ArrayProposal
from evoplastic.search.protocol import Told


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a recipe may set."""

    name: str = "best_half"
    popsize: int = 40
    sigma: float = 0.03


class State(NamedTuple):
    """All that the search remembers."""

    center_G: torch.Tensor


class BestHalf:
    """Every draw has an address: same seed, same run."""

    def __init__(self, options, layout, *, seed, engine="cpu"):
        self.popsize, self.options, self.layout, self.seed = options.popsize, options, layout, seed

    def init(self, center_G):
        return State(center_G.clone())

    def ask(self, state, generation):
        size_G = self.options.sigma * self.layout.scale_G
        mutants = [
            state.center_G
            + size_G
            * torch.from_numpy(normal(self.seed, Purpose.MUTATION, generation, p, len(size_G)))
            for p in range(self.popsize)
        ]
        genomes_PG = torch.stack([self.layout.project(mutant_G) for mutant_G in mutants]).numpy()
        together_P = np.zeros(self.popsize, dtype=np.int64)  # one task for all
        return ArrayProposal(generation, genomes_PG, together_P, together_P)

    def tell(self, state, proposal, loss_P):
        better = np.argsort(np.where(np.isfinite(loss_P), loss_P, np.inf))[: self.popsize // 2]
        center_G = torch.from_numpy(proposal.genomes_PG[better]).mean(0)
        return Told(State(center_G), True, int((~np.isfinite(loss_P)).sum()), {})

    def center(self, state):
        return state.center_G

    def tensors(self, state):
        return state._asdict()

    def restore(self, tensors):
        return State(**tensors)

    def warm_up(self, state):
        pass


SEARCHES["best_half"] = Entry(
    title="the mean of the better half", source="this example", options=Options, build=BestHalf
)
small = "--small" in sys.argv
done = ep.evolve(
    "smoke" if small else "laptop",
    search={"name": "best_half", "popsize": 6 if small else 100},
    evolution={"generations": 3 if small else 100},
    tracking={"enabled": False},
)
print(f"{done.run_dir}: {done.outcome.generation} generations of best_half")
print({task: round(accuracy, 3) for task, accuracy in done.held_out.items()})
