"""The table of figures of the inside: what each is drawn from, and by which function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from analysis.figures.inside.behaviour import (
    figure_choices,
    figure_curves_by_kind,
    figure_psychometric,
)
from analysis.figures.inside.connections import figure_connections
from analysis.figures.inside.decoding import figure_decoding
from analysis.figures.inside.fixed_points import figure_fixed_points
from analysis.figures.inside.sheet import Drawn
from analysis.figures.inside.similarity import figure_similarity
from analysis.figures.inside.traces import figure_traces
from analysis.figures.inside.trajectories import figure_trajectories
from analysis.figures.inside.variance import figure_task_variance
from evoplastic.checks import require, require_known


@dataclass
class Material:
    """What figures are drawn from; each is there if a figure that is asked for needs it."""

    evaluation: Any = None  # of some tasks, with answers
    ends: Any = None  # recording of one task: rates and modulation of first and last trials
    first_ends: Any = None  # the same of the genome that the run began with, if that is known
    lives: Any = None  # recording of few lifetimes of that task: modulation and plastic weights
    tasks: Any = None  # recordings of the last trials of each task of the suite, by task
    clusters: Any = None  # of neurons, by what they vary with in those tasks
    lesions: Any = None  # probe of those tasks without each cluster
    activity: Any = None  # that was recorded elsewhere, from a file
    connections: Any = None  # w, alpha and what those lifetimes added
    dynamics: Any = None  # of activity while nothing is shown, at birth and after a lifetime


class InsideFigure(NamedTuple):
    """One figure."""

    name: str
    title: str  # a sentence for listings
    needs: tuple[str, ...]  # fields of `Material`
    draw: Callable[[Material], Drawn]


FIGURES: dict[str, InsideFigure] = {
    figure.name: figure
    for figure in (
        InsideFigure(
            "curves_by_kind",
            "correct trials along a lifetime, by kind of trial",
            ("evaluation",),
            lambda material: figure_curves_by_kind(material.evaluation),
        ),
        InsideFigure(
            "choices",
            "action taken by action asked for, in first and last trials",
            ("evaluation",),
            lambda material: figure_choices(material.evaluation),
        ),
        InsideFigure(
            "psychometric",
            "share of each action by what the stimuli show, in first and last trials",
            ("evaluation",),
            lambda material: figure_psychometric(material.evaluation),
        ),
        InsideFigure(
            "connections",
            "innate weights, plasticity and learnt change as ordered matrices, with spectra",
            ("lives", "connections"),
            lambda material: figure_connections(material.connections),
        ),
        InsideFigure(
            "traces",
            "modulation, prediction error and plastic change, in a trial and along a lifetime",
            ("ends", "lives", "connections"),
            lambda material: figure_traces(material.ends, material.lives, material.connections),
        ),
        InsideFigure(
            "decoding",
            "when stimuli and target can be read from activity, first and last trials and networks",
            ("ends", "first_ends"),
            lambda material: figure_decoding(_networks(material)),
        ),
        InsideFigure(
            "trajectories",
            "activity as a path through principal components, first and last trials",
            ("ends",),
            lambda material: figure_trajectories(material.ends),
        ),
        InsideFigure(
            "fixed_points",
            "where activity stands still while nothing is shown, at birth and after a lifetime",
            ("ends", "lives", "connections", "dynamics"),
            lambda material: figure_fixed_points(material.ends, material.dynamics),
        ),
        InsideFigure(
            "similarity",
            "how alike activity is to that in a file of conditions x units, by RDMs and CKA",
            ("activity", "ends"),
            lambda material: figure_similarity(material.ends, material.activity),
        ),
        InsideFigure(
            "task_variance",
            "which neurons vary in which task, in clusters, with a lesion of each",
            ("tasks", "clusters", "lesions"),
            lambda material: figure_task_variance(
                material.clusters, material.lesions, next(iter(material.tasks.values()))
            ),
        ),
    )
}


def _networks(material: Material) -> dict[str, Any]:
    """Recordings by what their networks are called."""
    found = {} if material.first_ends is None else {"generation 0": material.first_ends}
    generation = str(material.ends.attrs.get("generation", ""))
    return found | {f"generation {generation}" if generation else "network": material.ends}


def chosen_figures(
    names: str | Sequence[str] | None, *, with_activity: bool = False
) -> list[InsideFigure]:
    """The figures of these names, in the order of the table; none means all that can be drawn.

    Args:
        names: a list, or separated by commas.
        with_activity: whether there is a file of recorded activity.

    Raises:
        UsageError: an unknown name, with the nearest one; no name at all; a figure that needs a
            file of activity, where there is none, or such a file for no figure.
    """
    if names is None:
        return [each for each in FIGURES.values() if with_activity or "activity" not in each.needs]
    listed = names.split(",") if isinstance(names, str) else list(names)
    for name in listed:
        require_known("figure", name, FIGURES)
    require(len(listed) > 0, f"no figure is named; expected some of {', '.join(FIGURES)}")
    chosen = [figure for figure in FIGURES.values() if figure.name in listed]
    needing = [figure.name for figure in chosen if "activity" in figure.needs]
    require(
        with_activity or not needing,
        f"figure {', '.join(needing)} compares with recorded activity; give a file of it, with "
        "--activity FILE.csv (activity=)",
    )
    require(
        not with_activity or bool(needing),
        f"a file of activity is given, but no figure of {', '.join(listed)} compares with it; add "
        "similarity",
    )
    return chosen
