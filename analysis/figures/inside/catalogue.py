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
from analysis.figures.inside.sheet import Drawn
from evoplastic.checks import require, require_known


@dataclass
class Material:
    """What figures are drawn from; each is there if a figure that is asked for needs it."""

    evaluation: Any = None  # of some tasks, with answers


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
    )
}


def chosen_figures(names: str | Sequence[str] | None) -> list[InsideFigure]:
    """The figures of these names, in the order of the table; none means all of them.

    Raises:
        UsageError: an unknown name, with the nearest one; no name at all.
    """
    if names is None:
        return list(FIGURES.values())
    listed = names.split(",") if isinstance(names, str) else list(names)
    for name in listed:
        require_known("figure", name, FIGURES)
    require(len(listed) > 0, f"no figure is named; expected some of {', '.join(FIGURES)}")
    return [figure for figure in FIGURES.values() if figure.name in listed]
