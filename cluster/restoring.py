"""Where a run goes on: from its newest whole checkpoint, if everything else still belongs to it."""

from __future__ import annotations

from typing import Any

from cluster.checkpoint import (
    FIRST_SCHEMA,
    Checkpoint,
    CheckpointMeta,
    load_checkpoint,
    save_checkpoint,
)
from cluster.config.legacy import first_path_digest
from cluster.experiment import Experiment
from cluster.journal import Journal
from cluster.rundir import RunDirectory
from evoplastic.checks import UsageError, require
from evoplastic.genome.genome import Genome
from evoplastic.records import GenerationEvent, StartEvent


def restore(
    experiment: Experiment, directory: RunDirectory, journal: Journal, first: Genome
) -> tuple[Any, int]:
    """The state of the search to go on from, and the generations behind it.

    A checkpoint of the first schema is written anew in the present one, so that the configuration
    beside it may be, too.

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
    begun = any(isinstance(event, GenerationEvent) for event in journal.events_at_opening)
    if not begun and not any(directory.checkpoints.glob("*.safetensors")):
        return experiment.search.init(first.center_G), 0
    checkpoint = load_checkpoint(directory.checkpoints)
    meta = checkpoint.meta
    require(
        meta.run_id == directory.run_id,
        f"{directory.checkpoints} holds checkpoints of run {meta.run_id}, expected "
        f"{directory.run_id}; restore the right ones",
    )
    is_first = checkpoint.schema == FIRST_SCHEMA
    expected = first_path_digest(directory.config) if is_first else experiment.config.path_digest
    require(
        meta.config_digest == expected and checkpoint.search == experiment.config.search.name,
        f"{directory.config} was changed since the run's checkpoint was written; restore it, or "
        "start a new run with the changed configuration",
    )
    generations = experiment.config.evolution.generations
    if meta.next_generation > generations:
        raise UsageError(
            f"{directory.path} has {meta.next_generation} generations behind it, "
            f"evolution.generations is {generations}; a run cannot be made shorter than it is"
        )
    state = experiment.search.restore(checkpoint.tensors)
    if is_first:
        save_checkpoint(
            directory.checkpoints,
            checkpoint_of(experiment, directory, state, meta.next_generation),
        )
    return state, meta.next_generation


def checkpoint_of(
    experiment: Experiment, directory: RunDirectory, state: Any, generation: int
) -> Checkpoint:
    """What a run keeps of its search when so many generations are behind it."""
    meta = CheckpointMeta(
        run_id=directory.run_id,
        config_digest=experiment.config.path_digest,
        next_generation=generation,
    )
    return Checkpoint(
        search=experiment.config.search.name,
        tensors=experiment.search.tensors(state),
        meta=meta,
    )
