"""evolve --dry-run: what a run is, what it needs, and how long it takes on this machine."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.verbs import print_json
from evoplastic.machine import usable_cores

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from cluster.experiment import Experiment
    from cluster.sources import Sources
    from cluster.workers.staffing.request import WorkerRequest
    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.problem import LifetimeProblem

PROBE_S = 0.5  # a longer probe is a better one, but somebody waits for it


def show(
    config: RunConfig,
    request: WorkerRequest | None,
    *,
    as_json: bool,
    start: Genome | None = None,
    sources: Sources | None = None,
) -> int:
    """Print settings, sizes and a measured pace; no file is written, and no cluster asked."""
    from cluster.experiment import build_experiment
    from cluster.sources import standing_for

    with standing_for(sources):
        suite = None if sources is None else sources.load_suite(config.task_table)
        return _show(build_experiment(config, suite, start=start), request, as_json)


def _show(experiment: Experiment, request: WorkerRequest | None, as_json: bool) -> int:
    from cluster.planning.dry_run import dry_run_text, estimate, warnings_of
    from cluster.planning.selection import require_selection

    config = experiment.config
    require_selection(experiment)
    workers = _number(request)
    facts = estimate(experiment, workers)
    generation_s = seconds_per_generation(experiment)
    share = facts["run"]["evaluation_share"]
    run_s = generation_s * config.evolution.generations / (1.0 - share)
    if as_json:
        print_json(
            {
                "config": config.model_dump(mode="json"),
                "estimate": facts,
                "warnings": warnings_of(experiment),
                "seconds": {"generation": generation_s, "run": run_s},
            }
        )
    else:
        print(dry_run_text(experiment, workers))
        print(
            f"pace            about {generation_s:.3g} s per generation and {duration(run_s)} for "
            "the run in one process here,\n                judged by the first trials of one shard"
        )
    return exits.DONE


def _number(request: WorkerRequest | None) -> int:
    """Workers to reckon with: where it is the cluster that says how many, as if it were this
    machine."""
    if request is None:
        return 0
    return usable_cores() if isinstance(request.most, str) else request.most


def seconds_per_generation(experiment: Experiment) -> float:
    """Time the first trials of one shard, and scale them up to a whole generation."""
    from cluster.session.coevolving import Coevolving
    from evoplastic.lifetime.shards import simulate_population

    config, problem = experiment.config, experiment.problem
    search, center = experiment.search, experiment.first_genome().center_G
    state = search.init(center)
    proposal = search.ask(state, 0)
    if isinstance(search, Coevolving):
        center = search.centers(state)
    shard = experiment.population(proposal)[0]
    simulate_population(_shorter(problem, 1), center, shard)  # compiles, and warms caches
    num_trials = 1
    while True:
        began = time.perf_counter()
        simulate_population(_shorter(problem, num_trials), center, shard)
        seconds = time.perf_counter() - began
        if seconds >= PROBE_S or num_trials >= config.lifetime.num_trials:
            break
        num_trials = min(4 * num_trials, config.lifetime.num_trials)
    per_trial = seconds / num_trials
    return per_trial * config.lifetime.num_trials * search.popsize / shard.lifetimes


def _shorter(problem: LifetimeProblem, num_trials: int) -> LifetimeProblem:
    """The same problem with a life of fewer trials, which costs proportionally less."""
    lifetime = replace(
        problem.lifetime,
        num_trials=num_trials,
        scored_trials=min(num_trials, problem.lifetime.scored_trials),
    )
    return replace(problem, lifetime=lifetime)


def duration(seconds: float) -> str:
    """Rounded to what matters.

    >>> duration(42.2), duration(600), duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
