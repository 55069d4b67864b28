"""A run from settings to scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import new_run_dir
from evoplastic.api.setting import as_overrides
from evoplastic.checks import require

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from cluster.loop import RunOutcome
    from cluster.progress import Progress
    from cluster.workers.staffing.request import WorkerRequest
    from evoplastic.genome.genome import Genome


@dataclass(frozen=True, kw_only=True)
class Evolved:
    """What a run left behind."""

    run_dir: Path
    genome: Genome  # the last center
    scores: dict[str, dict[str, Any]]  # of each task: role, and statistics of its lifetimes
    outcome: RunOutcome

    @property
    def held_out(self) -> dict[str, float]:
        """Mean accuracy on each held-out task; its mean reward where it has no answers."""
        return {
            task: score.get("accuracy_mean", score["reward_mean"])
            for task, score in self.scores.items()
            if score["role"] == "held_out"
        }


def evolve(
    recipe: str | Path | RunConfig,
    *,
    run_dir: str | Path | None = None,
    workers: int | str | WorkerRequest | None = 0,
    address: str | None = None,
    progress: Progress | None = None,
    go_on: bool = False,
    start_from: str | Path | Genome | None = None,
    adapt: bool = False,
    **settings: Any,
) -> Evolved:
    """Evolve a network as a recipe says, to the end of the run.

    Args:
        recipe: name of a recipe, a configuration file, or a configuration.
        run_dir: a new or empty directory; none means runs/NAME-seedK-NNN. Settings are filled in,
            as in "runs/{name}-s{seed}-{search.sigma}".
        workers: Ray worker processes: a number, "2-8", "max", "num_gpus", or a `WorkerRequest` of
            `cluster.workers.staffing.request`, which says what each is given; 0 means this process.
        address: of a running Ray cluster.
        progress: where the run is shown; nowhere by default.
        go_on: whether a run that `run_dir` holds already is gone on with, to be done as it is asked
            for here; one that is done is given back.
        start_from: a genome to begin with in place of a random one, or a reference to one, see
            `load`: the run's first genome, whose parent it is.
        adapt: whether that genome's fields and sizes may differ from the recipe's: what it lacks
            begins as in a run of its own, what the recipe lacks is dropped.
        settings: of the configuration, as in `seed=3, search={"popsize": 64}, rule="oja"`.

    Raises:
        UsageError: unknown or contradictory settings, no such genome to start from or one that does
            not fit (listing the fields and sizes of both), or a run directory that does not fit;
            that holds a run of other settings, naming them.
        Preempted: no room on the cluster, or another process is at work on the run: try again.
        EnvironmentFault: the surroundings fail; the run can be resumed.
    """
    from cluster.config.naming import filled_in
    from cluster.config.run import RunConfig, load_config, override_config
    from cluster.continuing import evolve_or_resume
    from cluster.loop import evolve as start_and_run
    from evoplastic.api.starting import warm_started

    overrides = as_overrides(settings)
    if isinstance(recipe, RunConfig):
        config = override_config(recipe, overrides)
    else:
        config = load_config(recipe, overrides)
    require(run_dir is not None or not go_on, "go_on=True needs run_dir, that of the run")
    there = None if run_dir is None else filled_in(run_dir, config)
    config, start = warm_started(config, start_from, adapt=adapt, there=there if go_on else None)
    chosen = there or new_run_dir(f"{config.name}-seed{config.seed}")
    to_the_end = evolve_or_resume if go_on else start_and_run
    outcome = to_the_end(
        config, chosen, workers=workers, address=address, progress=progress, start=start
    )
    return evolved(outcome)


def evolved(outcome: RunOutcome) -> Evolved:
    """The genome and the scores of a run that has been evaluated."""
    from evoplastic.api.setting import load

    session = outcome.last_evaluation
    return Evolved(
        run_dir=outcome.run_dir,
        genome=load(outcome.run_dir),
        scores={
            entry.task: {"role": entry.role, **entry.statistics()}
            for entry in (session.entries if session is not None else ())
            if entry.condition == "plastic"
        },
        outcome=outcome,
    )
