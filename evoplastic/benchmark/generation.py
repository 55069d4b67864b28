"""How long the lifetimes of one generation take, by engine, size and mode."""

from __future__ import annotations

import itertools
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Literal

import numpy as np
import torch

from evoplastic.engines import choose_engine, run_lifetimes, usable_threads
from evoplastic.engines.demand import Demand
from evoplastic.genome.config import GenomeConfig
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.machine import processor, usable_cores
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.decoding import decode
from evoplastic.rules.fields import rule_fields
from evoplastic.rules.params import RuleParams
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.wiring import Wiring, WiringConfig, draw_wiring
from evoplastic.types import Int64Array, Interface

TrialsKind = Literal["fixed_timing", "self_paced"]

INIT_GAIN, INIT_ALPHA, SIGMA = 1.5, 0.5, 0.03  # the published first genome and mutation size


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One generation: which individuals, for how long, on what."""

    engine: str
    population: int
    neurons: int
    trials: int
    threads: int
    rule: str = "node_perturbation"
    trials_kind: TrialsKind = "fixed_timing"


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Wall-clock seconds of repeated generations, the first one (compilation) left out."""

    setting: Setting
    seconds: tuple[float, ...]
    steps: int  # time steps of single networks in a generation

    @property
    def median_s(self) -> float:
        """Median over the repeats."""
        return median(self.seconds)

    @property
    def lifetime_ms(self) -> float:
        """Median milliseconds for one individual."""
        return 1e3 * self.median_s / self.setting.population

    @property
    def steps_per_s(self) -> float:
        """Time steps of single networks per second."""
        return self.steps / self.median_s

    @property
    def step_ns(self) -> float:
        """Median nanoseconds for one time step of one network, all threads together."""
        return 1e9 / self.steps_per_s


def settings(
    engines: list[str],
    populations: list[int],
    neurons: list[int],
    trials: list[int],
    threads: list[int],
    rules: list[str],
    kinds: list[TrialsKind],
    lines: Interface,
) -> list[Setting]:
    """Every combination, with the engine that will really run.

    Raises:
        UsageError: an engine or a rule is unknown, an engine cannot run here, or a number of
            threads is negative.
    """
    used = [usable_threads(number) for number in threads]
    combined = itertools.product(engines, rules, neurons, trials, populations, used, kinds)
    return [
        Setting(
            engine=choose_engine(
                engine,
                Demand(
                    network(size, lines),
                    LifetimeConfig(rule=RuleConfig(name=rule)),
                    self_paced=kind == "self_paced",
                ),
            ),
            population=population,
            neurons=size,
            trials=length,
            threads=number,
            rule=rule,
            trials_kind=kind,
        )
        for engine, rule, size, length, population, number, kind in combined
    ]


def network(num_neurons: int, lines: Interface) -> NeuronGroups:
    """A network of so many neurons for tasks of so many lines."""
    return NeuronGroups(
        num_neurons=num_neurons, num_inputs=lines.num_inputs, num_outputs=lines.num_outputs
    )


def lifetime_config(setting: Setting) -> LifetimeConfig:
    """The rule's own lifetime, cut or stretched to the setting's number of trials."""
    published = LifetimeConfig(rule=RuleConfig(name=setting.rule))
    return replace(
        published,
        num_trials=setting.trials,
        scored_trials=min(published.scored_trials, setting.trials),
    )


def first_generation(
    setting: Setting, tables: StackedTables
) -> tuple[PlasticParams, NeuronGroups, LifetimeBatch]:
    """Mutants of a random genome, antithetic partners sharing task, trials and noise."""
    lines = tables.interface
    groups = network(setting.neurons, lines)
    random = np.random.default_rng(0)
    size = setting.neurons
    center_NN = random.normal(scale=INIT_GAIN / np.sqrt(size), size=(size, size))
    pair_P = np.arange(setting.population, dtype=np.int64) // 2
    w_PNN = np.empty((setting.population, size, size), dtype=np.float32)
    alpha_PNN = np.empty_like(w_PNN)
    for individual in range(setting.population):
        sign = SIGMA if individual % 2 == 0 else -SIGMA
        draws = np.random.default_rng([1, individual // 2]).standard_normal((2, size, size))
        w_PNN[individual] = center_NN + sign * draws[0]
        alpha_PNN[individual] = INIT_ALPHA + sign * draws[1]
    w_PNN[:, : groups.num_unconnected] = 0.0
    batch = LifetimeBatch(
        tasks=tables,
        task_P=pair_P % len(tables.start_B),
        seed=1,
        epoch=0,
        trial_stream_P=pair_P,
        perturb_stream_P=pair_P,
        wiring=_wiring(tables, pair_P),
    )
    params = PlasticParams(
        torch.from_numpy(w_PNN), torch.from_numpy(alpha_PNN), _rule_params(setting, groups)
    )
    return params, groups, batch


def _rule_params(setting: Setting, groups: NeuronGroups) -> RuleParams:
    """Mutants of the first numbers that the genomes of a rule have."""
    rule = RuleConfig(name=setting.rule)
    values = {}
    for number, field in enumerate(rule_fields(rule)):
        center = field.encode(field.init(groups, 0, GenomeConfig()))
        mutant_P = []
        for individual in range(setting.population):
            size = field.scale * (SIGMA if individual % 2 == 0 else -SIGMA)
            draw = np.random.default_rng([2, individual // 2, number])
            mutation = draw.standard_normal(center.shape, dtype=np.float32)
            mutant_P.append(center + size * torch.as_tensor(mutation))
        values[field.name] = field.decode(torch.stack(mutant_P))
    return decode(rule, groups, values)


def _wiring(tables: StackedTables, pair_P: Int64Array) -> Wiring | None:
    """Lines exchanged for each pair, where trials are self-paced."""
    if tables.timing is not None:
        return None
    task_P = pair_P % len(tables.start_B)
    return draw_wiring(
        WiringConfig(interface=tables.interface, permute="both"),
        tables.num_inputs_B[task_P],
        tables.num_actions_B[task_P],
        pair_P,
        seed=1,
        epoch=0,
        evaluation=False,
    )


def measure(setting: Setting, tables: StackedTables, repeats: int) -> Measurement:
    """Run a generation again and again."""
    (measured,) = measure_in_turn([(setting, tables)], repeats)
    return measured


def measure_in_turn(
    wanted: Sequence[tuple[Setting, StackedTables]], repeats: int
) -> list[Measurement]:
    """Run a generation of each setting, round after round: a machine's drift falls on all alike.

    Args:
        wanted: what to run, and its tasks, taken in turn by the pairs.
        repeats: measured rounds; before them, two individuals of each setting compile.
    """
    generations = [first_generation(setting, tables) for setting, tables in wanted]
    seconds: list[list[float]] = [[] for _ in wanted]
    steps = [0 for _ in wanted]
    for turn in range(repeats + 1):
        for number, (setting, _) in enumerate(wanted):
            count = min(2, setting.population) if turn == 0 else setting.population
            steps_run, taken = _run(setting, generations[number], count)
            if turn > 0:
                seconds[number].append(taken)
                steps[number] = steps_run
    return [
        Measurement(setting=setting, seconds=tuple(taken), steps=steps_run)
        for (setting, _), taken, steps_run in zip(wanted, seconds, steps, strict=True)
    ]


def _run(
    setting: Setting, generation: tuple[PlasticParams, NeuronGroups, LifetimeBatch], count: int
) -> tuple[int, float]:
    """Steps of the first individuals of a generation, and the seconds that took."""
    params, groups, batch = generation
    wiring = batch.wiring and Wiring(*(lines_PL[:count] for lines_PL in batch.wiring))
    few = batch._replace(
        task_P=batch.task_P[:count],
        trial_stream_P=batch.trial_stream_P[:count],
        perturb_stream_P=batch.perturb_stream_P[:count],
        wiring=wiring,
    )
    begin = time.perf_counter()
    result = run_lifetimes(
        params.each(lambda tensor: tensor[:count]),
        groups,
        few,
        lifetime_config(setting),
        engine=setting.engine,
        threads=setting.threads,
    )
    taken = time.perf_counter() - begin
    return int(result.steps_PK.sum()), taken


def hardware() -> Iterator[tuple[str, str]]:
    """What a number means nothing without: the processor, its vectors, versions."""
    said = processor()
    if "flags" in said:
        flags = said["flags"].split()
        widest = next((kind for kind in ("avx512f", "avx2", "avx") if kind in flags), "unknown")
        yield "vectors", widest
    yield "processor", said.get("model name", platform.machine())
    yield "cores", str(usable_cores())
    yield "system", f"{platform.system()} {platform.machine()}"
    yield "Python", platform.python_version()
    for package in ("numpy", "torch", "numba", "llvmlite"):
        yield package, _version(package)


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
