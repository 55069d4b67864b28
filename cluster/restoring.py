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
from cluster.config.legacy import CUTS_COUNTED_NEUTRAL, FIRST_NEUTRAL, written_path_digest
from cluster.config.run import CUTS
from cluster.experiment import Experiment
from cluster.journal import Journal
from cluster.rundir import RunDirectory
from cluster.tracking.delivery import read_cursors
from evoplastic.checks import UsageError, require
from evoplastic.genome.genome import Genome
from evoplastic.records.events import GenerationEvent, StartEvent

RESTORE = (
    "restore it from a copy (its tracking store has one among the run's artifacts), or start a new "
    "run"
)


def restore(
    experiment: Experiment, directory: RunDirectory, journal: Journal, first: Genome
) -> tuple[Any, int]:
    """The state of the search to go on from, and the generations behind it.

    A checkpoint of an earlier version is written anew as one of the present, so that the
    configuration beside it may be, too.

    Raises:
        UsageError: checkpoints or journal are damaged, or belong to another run, configuration or
            suite.
    """
    _require_own(experiment, directory, journal)
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
    _require_recorded(directory, journal, meta.next_generation)
    is_first = checkpoint.schema == FIRST_SCHEMA
    is_earlier = is_first or meta.config_digest != experiment.config.path_digest
    neutral = FIRST_NEUTRAL if is_first else CUTS_COUNTED_NEUTRAL
    # Keys that an earlier version did not have stand at their defaults, which change nothing.
    belongs = not is_earlier or meta.config_digest in (
        written_path_digest(directory.config, neutral),
        written_path_digest(directory.config, neutral, CUTS),
    )
    require(
        belongs and checkpoint.search == experiment.config.search.name,
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
    if is_earlier:
        save_checkpoint(
            directory.checkpoints,
            checkpoint_of(experiment, directory, state, meta.next_generation),
        )
    return state, meta.next_generation


def generations_behind(directory: RunDirectory) -> int:
    """The generations behind the newest whole checkpoint; 0 where none is whole."""
    try:
        return load_checkpoint(directory.checkpoints).meta.next_generation
    except UsageError:
        return 0


def _require_own(experiment: Experiment, directory: RunDirectory, journal: Journal) -> None:
    """Refuse a journal of another run, of other tasks, or without its beginning or its end."""
    events = journal.events_at_opening
    for event in events[:1]:
        require(
            isinstance(event, StartEvent) and event.run_id == directory.run_id,
            f"{journal.path} does not begin with the start of run {directory.run_id}; {RESTORE}",
        )
    for event in events:
        require(
            not isinstance(event, StartEvent) or event.suite_digest == experiment.suite.digest,
            f"suite {experiment.config.suite} asks other tasks than when {directory.path} began "
            "(its digest differs); restore the suite file, or start a new run",
        )
    delivered = max((each.offset for each in read_cursors(directory.path).values()), default=0)
    size = journal.path.stat().st_size
    require(
        delivered <= size,
        f"{journal.path} has {size} bytes, and {delivered} were delivered to a tracking store: it "
        f"has lost lines; {RESTORE}",
    )


def _require_recorded(directory: RunDirectory, journal: Journal, generations: int) -> None:
    """Refuse a journal with fewer generations than its checkpoint has behind it.

    The loop records a generation before its checkpoint, so that one more may be in it.
    """
    events = [each for each in journal.events_at_opening if isinstance(each, GenerationEvent)]
    lacking = sorted(set(range(generations)) - {event.generation for event in events})
    require(
        not lacking,
        f"{journal.path} lacks {len(lacking)} of the {generations} generations that the checkpoint "
        f"in {directory.checkpoints} has behind it, the first of them {lacking[:1]}; {RESTORE}",
    )


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
