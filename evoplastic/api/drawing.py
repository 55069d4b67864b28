"""Figures of the inside of a network, with what they are drawn from made once for all of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.api.defaults import EVALUATION_SEED
from evoplastic.api.material import MAKERS, MAKING, Making, with_first
from evoplastic.api.setting import as_overrides
from evoplastic.checks import UsageError, require, whole_number

if TYPE_CHECKING:
    from analysis.figures.inside.catalogue import InsideFigure, Material
    from evoplastic.genome.genome import Genome

logger = logging.getLogger(__name__)

LIFETIMES = 64


def figures(
    genome: str | Path | Genome,
    names: str | Sequence[str] | None = None,
    out: str | Path = "figures",
    *,
    task: str | None = None,
    lifetimes: int = LIFETIMES,
    activity: str | Path | None = None,
    seed: int = EVALUATION_SEED,
    config: str | Path | None = None,
    engine: str | None = None,
    store: str | None = None,
    **settings: Any,
) -> list[Path]:
    """Draw what happens inside a network, as `evoplastic analyze --figures` does.

    Lifetimes are run, and recorded, once for all figures that need them.

    Args:
        genome: a genome, or a reference to one, see `load`.
        names: of figures (`analysis.figures.inside.catalogue.FIGURES`), a list or separated by
            commas; none means all.
        out: folder to write to.
        task: of the figures of one task; none means the first held-out task.
        lifetimes: of each task, in evaluations and in recordings of a few trials.
        activity: CSV file of recorded activity, a line for each condition and a column for each
            unit, for the figure `similarity`.
        seed: root of trials and perturbations.
        config: recipe or file, see `run`.
        engine: none means that of the configuration.
        store: MLflow tracking URI to look the genome up in.
        settings: of the configuration, as in `lifetime={"num_trials": 200}`.

    Returns:
        Of each figure NAME.png, .svg, .pdf and the numbers in it, NAME.csv.

    Raises:
        UsageError: as `run` and `evaluate`; an unknown figure; a recording that does not fit into
            memory; too few trials for an analysis.
        EnvironmentFault: the folder cannot be written; files are written whole or not at all.
    """
    plan = planned_figures(
        genome,
        names,
        task=task,
        lifetimes=lifetimes,
        activity=activity,
        seed=seed,
        config=config,
        engine=engine,
        store=store,
        overrides=as_overrides(settings),
    )
    return plan.carry_out(Path(out))


class FigurePlan(NamedTuple):
    """Figures, and how to make what they are drawn from."""

    figures: list[InsideFigure]
    named: bool  # whether somebody named them
    making: Making

    def carry_out(self, out: Path) -> list[Path]:
        """Run what is needed, draw, and write at the end; what nobody named may be left out.

        Raises:
            UsageError: a figure that was named cannot be drawn; no file is written then.
        """
        from analysis.figures.inside.catalogue import Material
        from analysis.figures.inside.sheet import Drawn, write_drawn

        require(not out.is_file(), f"{out} is a file, expected a folder for the figures")
        material = Material()
        drawn: dict[str, Drawn] = {}
        for figure in self.figures:
            try:
                for need in figure.needs:
                    self._prepare(material, need)
                drawn[figure.name] = figure.draw(material)
            except UsageError as error:
                if self.named:
                    raise
                logger.warning("figure %s is left out: %s", figure.name, error)
        return [file for name, each in drawn.items() for file in write_drawn(each, out / name)]

    def _prepare(self, material: Material, need: str) -> None:
        """What a figure is drawn from, once for all of them."""
        from evoplastic.watching import watched

        if getattr(material, need) is None:
            with watched(MAKING[need]):
                setattr(material, need, MAKERS[need](self.making, material))


def planned_figures(
    genome: str | Path | Genome,
    names: str | Sequence[str] | None,
    *,
    task: str | None,
    lifetimes: int,
    activity: str | Path | None = None,
    seed: int,
    config: str | Path | None,
    engine: str | None,
    store: str | None,
    overrides: Sequence[str] = (),
) -> FigurePlan:
    """Everything that can be checked before anything is run; see `figures`."""
    from analysis.figures.inside.catalogue import chosen_figures
    from evoplastic.lifetime.imitation.activity import read_activity

    lifetimes = whole_number("lifetimes", lifetimes, 2)
    chosen = chosen_figures(names, with_activity=activity is not None)
    read = None if activity is None else read_activity(activity)
    common = {"seed": seed, "config": config, "engine": engine, "overrides": list(overrides)}
    loaded, first = with_first(genome, store)
    making = Making(loaded, first, task, lifetimes, read, common)
    return FigurePlan(chosen, names is not None, making)
