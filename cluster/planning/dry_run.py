"""What a run will be and cost, before it starts."""

from __future__ import annotations

import pickle
from typing import Any

from cluster.evaluation import evaluation_share, session_lifetimes
from cluster.experiment import Experiment
from cluster.planning.selection import doubts
from evoplastic.lifetime.asked import asked_bytes
from evoplastic.search.asking import asked_of, width
from evoplastic.trials.world import tables_of
from tasks.suites.levels import close_held_out

FLOAT32_BYTES = 4
MATRICES_PER_LIFETIME = 5  # w, alpha, plastic weights, eligibility trace, effective weights
RESULT_BYTES = 24  # loss, accuracy and reward of one individual on the wire
REPLY_BYTES = 500  # envelope of the answer to one shard
MAX_EVALUATION_SHARE = 0.2
MIN_LIFETIMES_TO_MIND = 1000  # a shorter run is over in seconds, however they are spent


def estimate(experiment: Experiment, workers: int = 0) -> dict[str, Any]:
    """Genome size, memory, work and traffic of a run; nothing is simulated."""
    config, problem, suite = experiment.config, experiment.problem, experiment.suite
    popsize, generations = experiment.search.popsize, config.evolution.generations
    steps = config.lifetime.num_trials * trial_steps(experiment)
    neurons, genome_bytes = config.num_neurons, experiment.layout.size * FLOAT32_BYTES
    state = experiment.search.init(experiment.first_genome().center_G)
    state_bytes = sum(tensor.nbytes for tensor in experiment.search.tensors(state).values())
    shards = experiment.population(experiment.search.ask(state, 0))
    num_shards = len(shards)
    asked = asked_of(shards[0].proposal)
    beside = width(asked, experiment.layout.size) * FLOAT32_BYTES
    shard_bytes = sum(len(pickle.dumps(shard)) for shard in shards)
    lifetimes_at_once = shards[0].lifetimes
    if problem.engine == "gpu":  # a share of the generation is one launch
        lifetimes_at_once = -(-popsize // max(workers, 1))
    tasks = len(suite.train), len(suite.held_out)
    share = evaluation_share(config.evaluation, generations, popsize, *tasks)
    return {
        "config_digest": config.digest,
        "suite": {
            "name": suite.name,
            "digest": suite.digest,
            "train": [task.name for task in suite.train],
            "held_out": [task.name for task in suite.held_out],
        },
        "engine": problem.engine,
        "genome": {
            "neurons": neurons,
            "length": experiment.layout.size,
            "bytes": genome_bytes,
        },
        "first_genome": first_genome_facts(experiment),
        "generation": {
            "lifetimes": popsize,
            "trials": popsize * config.lifetime.num_trials,
            "agent_steps": popsize * steps,
            "multiply_adds": popsize * steps * neurons**2,
            "shards": num_shards,
        },
        "run": {
            "generations": generations,
            "lifetimes": round(generations * popsize / (1.0 - share)),
            "evaluation_lifetimes_per_session": session_lifetimes(config.evaluation, *tasks),
            "evaluation_share": share,
        },
        "memory_bytes": {
            "driver_search_state": state_bytes + genome_bytes,
            "per_process_lifetimes": lifetimes_at_once
            * MATRICES_PER_LIFETIME
            * neurons**2
            * FLOAT32_BYTES
            + asked_bytes(problem, asked),
            "checkpoint": state_bytes,
        },
        "traffic_bytes_per_generation": {
            "out": workers * genome_bytes + shard_bytes if workers else 0,
            "back": popsize * (RESULT_BYTES + beside) + num_shards * REPLY_BYTES if workers else 0,
        },
    }


def first_genome_facts(experiment: Experiment) -> dict[str, Any]:
    """The genome that the run begins with; of one of another run, what became of it here."""
    warm, first = experiment.warm, experiment.first_genome()
    facts: dict[str, Any] = {
        "digest": first.digest,
        "parents": [each._asdict() for each in first.parents],
    }
    if warm is not None:
        facts |= {
            "filled": list(warm.filled),
            "dropped": list(warm.dropped),
            "moved": list(warm.moved),
        }
    return facts


def trial_steps(experiment: Experiment) -> int:
    """Steps of a trial; of self-paced trials the longest one, averaged over training tasks."""
    steps = [table.num_steps for table in tables_of(experiment.problem.train).values()]
    return round(sum(steps) / len(steps)) if steps else 0


def warnings_of(experiment: Experiment) -> list[str]:
    """What is allowed but probably not meant."""
    config, suite, warm = experiment.config, experiment.suite, experiment.warm
    share = evaluation_share(
        config.evaluation,
        config.evolution.generations,
        experiment.search.popsize,
        len(suite.train),
        len(suite.held_out),
    )
    found = []
    evolved = config.evolution.generations * experiment.search.popsize
    if share > MAX_EVALUATION_SHARE and evolved >= MIN_LIFETIMES_TO_MIND:
        found.append(
            f"evaluation takes {share:.0%} of the run's lifetimes, meant to be at most "
            f"{MAX_EVALUATION_SHARE:.0%}; raise evaluation.every or lower its lifetimes"
        )
    found += doubts(experiment)
    for what, became in (
        (
            (warm.filled, "begin as in a run of its own, the genome to start from lacks them"),
            (warm.dropped, "are dropped, the recipe lacks them"),
            (warm.moved, "lay out of bounds and were put on them"),
        )
        if warm
        else ()
    ):
        found += [f"{', '.join(what)} {became}"] if what else []
    found += [
        f"training tasks {first!r} and {second!r} ask the same"
        for first, second in suite.train_aliases
    ]
    found += [
        f"what answers training task {close.task!r} is right in {close.agreement:.0%} of the "
        f"trials of held-out task {name!r}; there is little left to learn"
        for name, close in close_held_out(suite)
    ]
    return found


def dry_run_text(experiment: Experiment, workers: int = 0) -> str:
    """The resolved configuration and the estimate, to be read."""
    facts = estimate(experiment, workers)
    generation, run, memory = facts["generation"], facts["run"], facts["memory_bytes"]
    traffic = facts["traffic_bytes_per_generation"]
    lines = [
        experiment.config.to_yaml().rstrip(),
        "",
        f"configuration   {facts['config_digest']}",
        f"suite           {facts['suite']['name']} ({facts['suite']['digest']}), held out: "
        + ", ".join(facts["suite"]["held_out"]),
        f"engine          {facts['engine']}",
        f"genome          {facts['genome']['length']:,} numbers for {facts['genome']['neurons']} "
        f"neurons, {_size(facts['genome']['bytes'])}",
        f"first genome    {_origin(experiment)}",
        f"generation      {generation['lifetimes']:,} lifetimes, {generation['trials']:,} trials, "
        f"{generation['agent_steps']:.3g} neuron updates of a network, "
        f"{generation['multiply_adds']:.3g} multiply-adds, {generation['shards']} shards",
        f"run             {run['generations']:,} generations, {run['lifetimes']:,} lifetimes, "
        f"{run['evaluation_share']:.0%} of them for evaluation",
        f"memory          {_size(memory['driver_search_state'])} search state, "
        f"{_size(memory['per_process_lifetimes'])} of lifetimes per process, "
        f"{_size(memory['checkpoint'])} per checkpoint",
        f"traffic         {_size(traffic['out'])} out, {_size(traffic['back'])} back "
        f"per generation with {workers} workers",
    ]
    return "\n".join(lines + [f"warning: {warning}" for warning in warnings_of(experiment)])


def _size(count: float) -> str:
    """Bytes in the largest unit that keeps the number above 1.

    >>> _size(39200), _size(5)
    ('39.2 kB', '5 B')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.3g} {unit}"


def _origin(experiment: Experiment) -> str:
    first = experiment.first_genome()
    parents = ", ".join(map(str, first.parents))
    came = f"from {parents}" if parents else f"random, seed {experiment.config.seed}"
    return f"{first.digest[:16]}, {came}"
