"""Settings of the search compared on a GPU: `python -m tests.gpu.study --out FILE`.

Runs of the recipe `miconi2023` with changes, without the loop that records and keeps runs, so that
a generation costs what its lifetimes cost. Accuracy is that of the bare center on the training
tasks; on held-out tasks only where `--held-out` says so, which belongs to settings that are chosen.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from evoplastic.birth.config import BirthConfig
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.config import LifetimeConfig, PerturbationConfig
from evoplastic.lifetime.fields import genome_fields, scaled
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import (
    PopulationShard,
    ReplicateShard,
    simulate_population,
    simulate_replicates,
)
from evoplastic.modulation.config import ModulationConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy, gradient
from evoplastic.search.shaping import shape_losses
from tasks.curricula.curriculum import (
    AlternateHalves,
    AlternateHalvesConfig,
    Curriculum,
    Uniform,
    UniformConfig,
)
from tasks.two_stimulus.task import NAMES, TwoStimulusTask, parity_half
from tests.gpu.evolution import HELD_OUT, TRAIN, adam


@dataclass(frozen=True)
class Setting:
    """What differs from `miconi2023`."""

    name: str
    search: dict[str, Any] = field(default_factory=dict)
    genome: dict[str, Any] = field(default_factory=dict)
    lifetime: dict[str, Any] = field(default_factory=dict)
    rule: dict[str, Any] = field(default_factory=dict)
    perturbation: dict[str, Any] = field(default_factory=dict)
    birth: dict[str, Any] = field(default_factory=dict)
    modulation: str = "opposed_pair"
    uniform: bool = False
    generations: int | None = None

    @classmethod
    def read(cls, file: Path) -> list[Setting]:
        """The settings of a JSON file, a list of objects."""
        return [cls(**each) for each in json.loads(file.read_text())]

    def lives(self) -> LifetimeConfig:
        """The lifetime that it asks for."""
        pairs: dict[str, Any] = {
            name: tuple(map(tuple, chosen)) if name in ("without", "fixed") else chosen
            for name, chosen in self.birth.items()
        }
        chosen = LifetimeConfig(
            rule=RuleConfig(**self.rule).resolved,
            modulation=ModulationConfig(name=self.modulation).resolved,
            perturbation=PerturbationConfig(**self.perturbation),
            birth=BirthConfig(**pairs),
        )
        return replace(chosen, **self.lifetime)


def run(
    setting: Setting, seed: int, generations: int, every: int, lives: int, held_out: bool
) -> dict[str, Any]:
    """One seed: accuracy of the bare center each `every` generations."""
    search, genome = ESConfig(**setting.search), GenomeConfig(**setting.genome)
    lifetime = setting.lives()
    modulators = lifetime.modulation.table.num_neurons
    groups = NeuronGroups(num_neurons=70, num_modulators=modulators)
    problem = LifetimeProblem(
        layout=Layout(groups, scaled(genome_fields(lifetime), genome.scale_of_fields)),
        lifetime=lifetime,
        train=tuple(TwoStimulusTask(name).trials() for name in TRAIN),
        held_out=tuple(TwoStimulusTask(name).trials() for name in HELD_OUT),
        seed=seed,
        engine="gpu",
    )
    strategy = EvolutionStrategy(search, problem.layout, seed=seed, engine="gpu")
    suite = SimpleNamespace(train=TRAIN, half_of_train=tuple(parity_half(name) for name in TRAIN))
    curriculum: Curriculum = AlternateHalves(AlternateHalvesConfig(), suite, seed=seed)
    if setting.uniform:
        curriculum = Uniform(UniformConfig(), suite, seed=seed)
    state = strategy.init(problem.layout.initial(seed, genome))
    begin, points, fitness = time.perf_counter(), [], []
    for generation in range(generations + 1):
        if generation % every == 0:
            points.append(measured(problem, state.center_G, generation, lives, held_out))
        if generation == generations:
            break
        proposal = strategy.ask(state, generation)
        shard = PopulationShard(proposal, curriculum.tasks_of(generation, proposal.group_P))
        loss_P = simulate_population(problem, state.center_G, shard).loss_P
        fitness.append(float(np.nanmean(loss_P)))
        shaped = shape_losses(loss_P, search)
        if shaped.pulls:
            pull_G = gradient(
                shaped.weight_pairs, problem.layout, search, seed, generation, engine="gpu"
            )
            state = adam(state, pull_G, search, problem.layout, generation)
    return {
        "setting": setting.name,
        "seed": seed,
        "popsize": search.popsize,
        "points": points,
        "loss": fitness,
        "seconds": time.perf_counter() - begin,
    }


def measured(
    problem: LifetimeProblem, center_G: torch.Tensor, generation: int, lives: int, held_out: bool
) -> dict[str, Any]:
    """Accuracy by task, each over as many lifetimes."""
    names = [*TRAIN, *(HELD_OUT if held_out else ())]
    shards = [
        ReplicateShard(generation, task, 0, lives if name in TRAIN else 64, plastic=True)
        for task, name in enumerate(names)
    ]
    found = simulate_replicates(problem, center_G, *shards).accuracy_L
    ends = np.cumsum([shard.num_lifetimes for shard in shards])[:-1]
    by_task = {
        name: float(part.mean()) for name, part in zip(names, np.split(found, ends), strict=True)
    }
    point = {"generation": generation, "train": float(np.mean([by_task[n] for n in TRAIN]))}
    if held_out:
        point["held_out"] = float(np.mean([by_task[name] for name in HELD_OUT]))
    return {**point, "tasks": by_task}


def main() -> None:
    """Run settings times seeds, and write each as it is done."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.study", description=__doc__)
    parser.add_argument("settings", type=Path, help="JSON file of settings")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--generations", type=int, default=60)
    parser.add_argument("--every", type=int, default=6)
    parser.add_argument("--lives", type=int, default=16, help="of each training task")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--seconds", type=float, default=1e9, help="start no run after as many")
    args = parser.parse_args()
    assert set(TRAIN) | set(HELD_OUT) == set(NAMES)
    begin = time.monotonic()
    with args.out.open("w") as file:
        for setting in Setting.read(args.settings):
            for seed in args.seeds:
                if time.monotonic() - begin > args.seconds:
                    return
                generations = setting.generations or args.generations
                result = run(setting, seed, generations, args.every, args.lives, args.held_out)
                key = "held_out" if args.held_out else "train"
                print(
                    f"{setting.name:26} {seed} {result['seconds']:5.1f} s ",
                    " ".join(f"{point[key]:.3f}" for point in result["points"]),
                    flush=True,
                )
                file.write(json.dumps(result) + "\n")
                file.flush()


if __name__ == "__main__":
    main()
