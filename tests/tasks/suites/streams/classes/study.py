"""A hundred classes one after the other: `python -m tests.tasks.suites.streams.classes.study`.

    ... study --gated RUN... --ungated RUN... [--at G] [--lifetimes L] --out OUT

Runs of the recipe `class-stream`, with gates and without, are grown to a hundred labels and live
streams of a hundred unseen classes. Written are a table OUT.csv, one row for each network,
condition and number of classes, and a figure of it, OUT.png and OUT.svg.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from cluster.config.run import RunConfig, load_config
from evoplastic.genome.adapting import warm_start
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.lifetime.fields import genome_fields
from evoplastic.lifetime.population import simulate
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.streams.measures import accuracy_matrix, seen_so_far
from evoplastic.trials.wiring import WiringConfig
from tasks.suites.streams.classes.bounds import nearest_prototype
from tasks.suites.streams.classes.stream import ClassStream

SEED = 1_000_003
DT_MS = 20
ENDS = (10, 20, 50, 100)
LONG = ClassStream(classes=100, examples=3, trial_steps=3, probed_after=ENDS[:-1], probes=100)
ACTIVE = 0.5  # rates are within [-1, 1] before gates, and twice that after
GAIN = "modulation.gain"


class Row(NamedTuple):
    """Accuracy over all classes so far, mean and spread over lifetimes."""

    network: str  # gated, ungated or none
    seed: str
    condition: str
    classes: int
    accuracy: float
    q25: float
    q75: float


def grown(genome: Genome, config: RunConfig) -> Genome:
    """The same network with a hundred label lines and answers."""
    old = genome.groups
    added = LONG.labels - old.num_outputs
    groups = replace(
        old,
        num_neurons=old.num_neurons + 3 * added,  # label lines, action and response neurons
        num_inputs=LONG.pixels + LONG.labels,
        num_outputs=LONG.labels,
    )
    layout = Layout(groups, genome_fields(config.simulated))
    return warm_start(genome, layout, config.seed, config.genome, adapt=True).first


def lived(
    genome: Genome,
    lifetime: LifetimeConfig,
    stream: ClassStream,
    lifetimes: int,
    without: Sequence[str] = (),
) -> NDArray[np.float64]:
    """Accuracy [L, parts] over all classes so far."""
    table = stream.table("classes", lifetimes, SEED, DT_MS)
    assert table.course is not None
    problem = LifetimeProblem(
        layout=genome.layout,
        lifetime=replace(lifetime, num_trials=stream.num_trials, scored_trials=stream.probes),
        train=(),
        held_out=(table,),
        seed=SEED,
        wiring=WiringConfig(interface=genome.groups.interface),
        engine="cpu",
        threads=1,
    )
    one = problem.params(genome.center_G[None], without=without)
    params = one.each(lambda tensor: tensor.expand(lifetimes, *tensor.shape[1:]))
    which_L = np.arange(lifetimes)
    result = simulate(problem, params, 0 * which_L, which_L, epoch=0, evaluation=True)
    return seen_so_far(table.course, accuracy_matrix(table.course, result.correct_PK.numpy()))


def rows_of(
    network: str, config: RunConfig, genome: Genome, first: Genome, lifetimes: int
) -> Iterator[Row]:
    """All conditions of one evolved network."""
    conditions: dict[str, tuple[Genome, tuple[str, ...]]] = {
        "plastic": (genome, ()),
        "plasticity off": (genome, ("alpha",)),
        "random genome": (first, ()),
    }
    if GAIN in genome.layout.slices:
        conditions["gates off"] = (genome, (GAIN,))
    lifetime, seed = config.simulated, str(config.seed)
    for condition, (whose, without) in conditions.items():
        accuracy_LR = lived(grown(whose, config), lifetime, LONG, lifetimes, without)
        yield from told(network, seed, condition, ENDS, accuracy_LR)
    harder = replace(lifetime.birth, label_gain=2.0 * lifetime.birth.label_gain)
    for condition, whose in (("taught harder", genome), ("random genome taught harder", first)):
        taught = replace(lifetime, birth=harder)
        accuracy_LR = lived(grown(whose, config), taught, LONG, lifetimes)
        yield from told(network, seed, condition, ENDS, accuracy_LR)
    for end in ENDS:
        mixed = replace(LONG, classes=end, probed_after=(), shuffled=True)
        accuracy_LR = lived(grown(genome, config), lifetime, mixed, lifetimes)
        yield from told(network, seed, "in any order", (end,), accuracy_LR)


def told(
    network: str, seed: str, condition: str, ends: Sequence[int], accuracy_LR: NDArray[np.float64]
) -> Iterator[Row]:
    """A row for each number of classes."""
    for end, accuracy_L in zip(ends, accuracy_LR.T, strict=True):
        q25, q75 = np.quantile(accuracy_L, [0.25, 0.75])
        yield Row(network, seed, condition, end, accuracy_L.mean(), q25, q75)


def shares_active(genome: Genome, config: RunConfig) -> tuple[float, float, float]:
    """Shares of hidden neurons with |rate| > ACTIVE, before gates and after them, and how much the
    gate of a neuron differs between patterns (standard deviation), over patterns of new classes.

    Hidden and modulatory neurons see the pattern alone, and a time step is their time constant:
    rate = g tanh(w pattern + w bias - threshold), g = 2 / (1 + exp(-sum_k G_ik m_k)).
    """
    groups, values = genome.groups, genome.values
    pattern_KX = LONG.draw(SEED, 0)[0][:, : LONG.pixels]
    own = values["dynamics.threshold"].numpy()[groups.group_of_each]

    def rates(rows: slice) -> NDArray[np.float64]:
        w = values["w"][rows].numpy()
        drive = pattern_KX @ w[:, : LONG.pixels].T + w[:, groups.bias] - own[rows]
        return np.asarray(np.tanh(drive), dtype=np.float64)

    rate_KH = rates(groups.hidden)
    before = float((np.abs(rate_KH) > ACTIVE).mean())
    if GAIN not in genome.layout.slices:
        return before, before, 0.0
    sum_KH = rates(groups.modulators) @ values[GAIN][groups.hidden].numpy().T
    gate_KH = 2.0 / (1.0 + np.exp(-sum_KH))
    after = float((np.abs(gate_KH * rate_KH) > ACTIVE).mean())
    return before, after, float(gate_KH.std(axis=0).mean())


def draw(rows: Sequence[Row], path: Path) -> None:
    """Accuracy against the number of classes so far, with gates and without."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6.4, 4.2))
    styles: dict[tuple[str, str], dict[str, Any]] = {
        ("none", "nearest mean of examples"): {"color": "0.4", "linestyle": ":"},
        ("ungated", "random genome"): {"color": "0.6", "linestyle": "--"},
        ("ungated", "plastic"): {"color": "#0072b2"},
        ("gated", "plastic"): {"color": "#d55e00"},
        ("gated", "gates off"): {"color": "#d55e00", "linestyle": "--"},
        ("gated", "taught harder"): {"color": "#d55e00", "linestyle": "-."},
        ("ungated", "taught harder"): {"color": "#0072b2", "linestyle": "-."},
        ("ungated", "random genome taught harder"): {"color": "0.6", "linestyle": "-."},
        ("gated", "plasticity off"): {"color": "0.8"},
        ("none", "chance"): {"color": "0.8", "linestyle": ":"},
    }
    for (network, condition), style in styles.items():
        by_end = [
            [
                row.accuracy
                for row in rows
                if (row.network, row.condition, row.classes) == (network, condition, end)
            ]
            for end in ENDS
        ]
        if not all(by_end):
            continue
        label = condition if network == "none" else f"{network}: {condition}"
        axes.plot(ENDS, [100 * np.mean(each) for each in by_end], marker=".", label=label, **style)
        for end, each in zip(ENDS, by_end, strict=True):
            axes.plot([end] * len(each), [100 * value for value in each], ".", color=style["color"])
    axes.set(
        xscale="log", xlabel="classes taught so far", ylabel="percent correct, all classes so far"
    )
    axes.set_xticks(ENDS, [str(end) for end in ENDS])
    axes.minorticks_off()
    axes.set_ylim(0, 100)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for ending in ("png", "svg"):
        figure.savefig(path.with_suffix(f".{ending}"), dpi=150, bbox_inches="tight")


def main() -> None:
    """Read the runs, live the streams, write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gated", nargs="*", type=Path, default=[])
    parser.add_argument("--ungated", nargs="*", type=Path, default=[])
    parser.add_argument("--at", type=int, help="generation (default: the last one)")
    parser.add_argument("--lifetimes", type=int, default=16)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    name = "center" if args.at is None else f"gen_{args.at:08d}"
    rows = list(told("none", "", "chance", ENDS, np.array([[1 / end for end in ENDS]])))
    bound = nearest_prototype(LONG, args.lifetimes, SEED)
    rows += told("none", "", "nearest mean of examples", ENDS, bound[None])
    for network in ("gated", "ungated"):
        for run in getattr(args, network):
            config = load_config(run / "config.resolved.yaml")
            genome = Genome.load(run / "genomes" / f"{name}.safetensors")
            first = Genome.load(run / "genomes" / "gen_00000000.safetensors")
            print(network, config.seed, "active, gates:", shares_active(genome, config), flush=True)
            found = list(rows_of(network, config, genome, first, args.lifetimes))
            for row in found:
                print(row, flush=True)
            rows += found
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows([*row[:4], *(round(value, 4) for value in row[4:])] for row in rows)
    draw(rows, args.out)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
