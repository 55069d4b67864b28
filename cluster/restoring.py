"""Where a run goes on: from its newest whole checkpoint, if everything else still belongs to it."""

from __future__ import annotations

from cluster.checkpoint import load_checkpoint
from cluster.experiment import Experiment
from cluster.journal import Journal
from cluster.rundir import RunDirectory
from evoplastic.checks import UsageError, require
from evoplastic.genome.genome import Genome
from evoplastic.records import GenerationEvent, StartEvent
from evoplastic.search.es import SearchState, initial_state


def restore(
    experiment: Experiment, directory: RunDirectory, journal: Journal, first: Genome
) -> tuple[SearchState, int]:
    """The search state to go on from, and the generations behind it.

    Raises:
        UsageError: checkpoints or journal are damaged, or belong to another run, configuration or
            suite.
    """
    for event in journal.events_at_opening:
        require(
            not isinstance(event, StartEvent) or event.suite_digest == experiment.suite.digest,
            f"suite {experiment.config.suite} asks other tasks than when {directory.path} began "
            "(its digest differs); restore the suite file, or start a new run",
        )
    lived = any(isinstance(event, GenerationEvent) for event in journal.events_at_opening)
    if not lived and not any(directory.checkpoints.glob("*.safetensors")):
        return initial_state(first.center_G), 0
    state, meta = load_checkpoint(directory.checkpoints)
    require(
        meta.run_id == directory.run_id,
        f"{directory.checkpoints} holds checkpoints of run {meta.run_id}, expected "
        f"{directory.run_id}; restore the right ones",
    )
    require(
        meta.config_digest == experiment.config.path_digest,
        f"{directory.config} was changed since the run's checkpoint was written; restore it, or "
        "start a new run with the changed configuration",
    )
    generations = experiment.config.evolution.generations
    if meta.next_generation > generations:
        raise UsageError(
            f"{directory.path} has {meta.next_generation} generations behind it, "
            f"evolution.generations is {generations}; a run cannot be made shorter than it is"
        )
    return state, meta.next_generation
