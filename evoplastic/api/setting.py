"""What a genome is run in: its settings, the tasks asked for, and the problem they pose."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import DEFAULT_CONFIG, EVALUATION_SEED
from evoplastic.api.references import find_genome
from evoplastic.checks import require, whole_number

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from evoplastic.genome.genome import Genome
    from evoplastic.lifetime.problem import LifetimeProblem
    from tasks.suites.measured import MeasuredTask

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A genome ready to be run; the held-out tasks of the problem are those that are measured."""

    genome: Genome
    config: RunConfig
    source: str  # recipe or file of the configuration
    tasks: tuple[MeasuredTask, ...]
    problem: LifetimeProblem
    train: tuple[str, ...] = ()  # names of the training tasks of the suite
    held_out: tuple[str, ...] = ()  # and of its held-out tasks
    suite_digest: str = ""


def load(ref: str | Path | Genome, *, store: str | None = None) -> Genome:
    """The genome that a reference means; a genome is itself.

    Args:
        ref: a file, a run directory, RUN@GENERATION, the id of an MLflow run or of a logged model,
            or the first digits of a digest.
        store: MLflow tracking URI; none means MLFLOW_TRACKING_URI, else ./mlflow.db.

    Raises:
        UsageError: there is none (listing what was tried), or its file is not whole.
    """
    from evoplastic.genome.genome import Genome

    if isinstance(ref, Genome):
        return ref
    found = find_genome(ref, store)
    return replace(Genome.load(found.path), run_config=found.config)


def setting_of(
    ref: str | Path | Genome,
    tasks: Sequence[str] | None,
    *,
    config: str | Path | None = None,
    overrides: Sequence[str] = (),
    seed: int = EVALUATION_SEED,
    engine: str | None = None,
    store: str | None = None,
) -> Setting:
    """Everything that lifetimes of a genome need.

    Args:
        ref: a genome, or a reference to one, see `load`.
        tasks: names; none means the held-out tasks of the suite.
        config: recipe or file; none means the configuration of the genome's run, where that is
            known, else the published setting.
        overrides: `key=value`.
        seed: root of trials and perturbations.
        engine: none means that of the configuration.
        store: see `load`.

    Raises:
        UsageError: no such genome, configuration or task, or some that do not fit each other.
    """
    from cluster.config.run import load_config
    from cluster.sources import read_sources, standing_for
    from evoplastic import trust
    from evoplastic.engines import choose_engine
    from evoplastic.engines.demand import Demand
    from evoplastic.lifetime.problem import LifetimeProblem
    from evoplastic.lifetime.streams.scoring import has_streams, require_streams
    from tasks.suites.loading import load_suite
    from tasks.suites.measured import measured_tasks

    seed = whole_number("seed", seed, 0)
    genome = load(ref, store=store)
    of_run = genome.run_config
    source = str(config or _as_typed(of_run) or DEFAULT_CONFIG)
    if config is None and of_run is not None:
        trust.set_from_run()
    chosen = load_config(source, overrides)
    is_of_run = config is None and of_run is not None
    kept = read_sources(of_run.parent) if of_run is not None and is_of_run else None
    if kept is not None and chosen.suite != load_config(source).suite:
        kept = None  # another suite is asked for
    with standing_for(kept):
        suite = (
            load_suite(chosen.suite, chosen.task_table)
            if kept is None
            else kept.load_suite(chosen.task_table)
        )
        _ = suite.digest  # loads the code of its tasks while what was kept stands in for it
    for changed in kept.changed if kept else []:
        logger.warning(
            "%s has changed since the run of this genome; what the run kept of it is used", changed
        )
    measured: list[MeasuredTask] = []
    for name in tasks or [task.name for task in suite.held_out]:
        # A file that is typed is meant as it is now.
        with nullcontext() if trust.CODE.fullmatch(name) else standing_for(kept):
            measured += measured_tasks(
                suite,
                [name],
                table=chosen.task_table,
                trial_seed=seed,
                num_trials=chosen.banks.evaluation_trials,
            )
    require_streams([task.trials for task in measured], chosen.simulated)
    trials = tuple(task.trials for task in measured)
    demand = Demand(genome.groups, chosen.simulated, suite.self_paced, has_streams(trials))
    problem = LifetimeProblem(
        layout=genome.layout,
        lifetime=chosen.simulated,
        train=(),
        held_out=trials,
        seed=seed,
        wiring=suite.wiring_to(genome.groups.interface),
        engine=choose_engine(engine or chosen.engine, demand),
        threads=chosen.threads,
    )
    return Setting(
        genome=genome,
        config=chosen,
        source=source,
        tasks=tuple(measured),
        problem=problem,
        train=tuple(task.name for task in suite.train),
        held_out=tuple(task.name for task in suite.held_out),
        suite_digest=suite.digest,
    )


def _as_typed(path: Path | None) -> Path | None:
    """A path as people type it: relative if it lies below the current folder."""
    here = Path.cwd()
    return path.relative_to(here) if path is not None and path.is_relative_to(here) else path


def as_overrides(settings: Mapping[str, Any]) -> list[str]:
    """Settings as `key=value`, sections written as nested mappings.

    >>> as_overrides({"seed": 3, "search": {"popsize": 8}, "rule": "oja"})
    ['seed=3', 'search.popsize=8', 'rule=oja']

    Raises:
        UsageError: a value that cannot be written in YAML.
    """
    return [f"{key}={_in_yaml(key, value)}" for key, value in _leaves(settings)]


def _leaves(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _plain(value: Any) -> Any:
    """The value in Python's own types: paths as text, numbers of NumPy as numbers."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    to_python = getattr(value, "tolist", None)
    return to_python() if callable(to_python) else value


def _in_yaml(key: str, value: Any) -> str:
    import yaml

    try:
        text = yaml.safe_dump(_plain(value), default_flow_style=True, width=1 << 30)
    except yaml.YAMLError as error:
        require(False, f"{key} is {value!r}, which no configuration file can hold ({error})")
    return text.removesuffix("...\n").strip()
