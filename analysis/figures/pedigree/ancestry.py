"""Who the champion of a population came from, as a tree back to the founders."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from analysis.figures.pedigree.founders import OTHERS, colours_of, name_of
from analysis.figures.style import caption_inches, drawing, footer, write_caption
from analysis.store import RunRecords

INCHES = (7.2, 3.9)
MOST = 300  # ancestors that are drawn
ABOVE = 0.75  # inches over the axes, for the legend


class Place(NamedTuple):
    """Where an individual is drawn."""

    generation: float
    lane: int


def figure_ancestry(records: RunRecords, table: pd.DataFrame, founders: pd.DataFrame) -> Figure:
    """The ancestors of an individual by the generation that made them.

    Args:
        records: of the run.
        table: of `analysis.lineage.pedigree.ancestry`; the last one is whose ancestry it is.
        founders: of `analysis.lineage.pedigree.founder_shares`, for colours of founders that are
            those of their figure.
    """
    drawn = most_given(table)
    place = places(drawn)
    champion = table.iloc[-1]
    found, given = table["founder"].unique().tolist(), colours_of(founders)
    colours = {who: colour for who, colour in given.items() if who in found}
    colours |= {who: OTHERS for who in found if who not in given}
    caption = _caption(table, drawn)
    width, height = INCHES
    below = caption_inches(caption, width)
    with drawing():
        figure = Figure(figsize=(width, height + below))
        box = (
            *(0.04, (below + 0.5) / (height + below)),
            *(0.92, (height - 0.5 - ABOVE) / (height + below)),
        )
        axes = figure.add_axes(box)
        lines, widths, shades = [], [], []
        for row in drawn.itertuples():
            for parent, share in zip(row.parents, row.shares, strict=True):
                if parent in place:
                    lines.append([place[parent], place[row.individual]])
                    widths.append(0.3 + 1.7 * share)
                    shades.append(colours[drawn_founder(drawn, parent)])
        axes.add_collection(
            LineCollection(lines, linewidths=widths, colors=shades, alpha=0.75, gid="descent")
        )
        for founder, group in drawn.groupby("founder", sort=False):
            spots = [place[who] for who in group["individual"]]
            axes.scatter(
                [spot.generation for spot in spots],
                [spot.lane for spot in spots],
                s=7,
                color=colours[founder],
                zorder=3,
                gid=f"founder-{founder}",
            )
        end = place[int(champion["individual"])]
        axes.plot(*end, marker="*", ms=13, color="#000000", zorder=4, gid="champion")
        axes.margins(x=0.03, y=0.08)
        axes.set_xlabel("generation that made them (-1: the first population)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _legend(figure, colours)
        write_caption(figure, caption, footer([records]), below)
    return figure


def most_given(table: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """The ancestors that gave most, each with a child, and the whole line of first parents."""
    row_of = {who: at for at, who in enumerate(table["individual"])}
    parents, passed_on = table["parents"].tolist(), table["passed_on"].tolist()
    line = [len(table) - 1]
    while parents[line[-1]]:
        line.append(row_of[parents[line[-1]][0]])
    chosen, waiting = set(line), [(-passed_on[at], at) for at in line]
    heapq.heapify(waiting)
    while waiting:
        _, at = heapq.heappop(waiting)
        if at not in chosen:
            if len(chosen) >= most:
                break
            chosen.add(at)
        for parent in parents[at]:
            if row_of[parent] not in chosen:
                heapq.heappush(waiting, (-passed_on[row_of[parent]], row_of[parent]))
    return table.iloc[sorted(chosen)]


def places(table: pd.DataFrame) -> dict[int, Place]:
    """A lane for each line of first parents, which begins at a child and ends at one placed before.

    The champion's line is in lane 0; others lie as near to their child as there is room.
    """
    births = {row.individual: row for row in table.itertuples()}
    at = {who: _made(row) for who, row in births.items()}
    place: dict[int, Place] = {}
    taken: dict[int, list[tuple[float, float]]] = {}
    champion = int(table["individual"].iloc[-1])
    waiting = [(champion, Place(at[champion], 0))]
    for start, child in waiting:
        if start in place:
            continue
        chain, who = [], start
        while who in births and who not in place:
            chain.append(who)
            parents = births[who].parents
            if not parents:
                break
            who = parents[0]
        first = min(at[each] for each in chain)
        lane = _free_lane(taken, first, child.generation, child.lane)
        for each in chain:
            place[each] = Place(at[each], lane)
        for each in chain:
            for other in births[each].parents[1:]:
                if other in births:
                    waiting.append((other, place[each]))
    return place


def _made(row: Any) -> float:
    """The generation that made an individual; -1 of one without parents."""
    return float(row.born) if row.parents else -1.0


def _free_lane(
    taken: dict[int, list[tuple[float, float]]], first: float, last: float, near: int
) -> int:
    """The nearest lane with nobody between two generations; it is taken from now on."""
    distance = 0
    while True:
        for lane in dict.fromkeys((near + distance, near - distance)):
            spans = taken.setdefault(lane, [])
            if all(last < begin or end < first for begin, end in spans):
                spans.append((first, last))
                return lane
        distance += 1


def drawn_founder(table: pd.DataFrame, individual: int) -> int:
    """The founder of whom an ancestor has most."""
    return int(table.loc[table["individual"] == individual, "founder"].iloc[0])


def _legend(figure: Figure, colours: Mapping[int, str]) -> None:
    named = {colour: founder for founder, colour in reversed(list(colours.items()))}
    handles = [
        Line2D([], [], color=colour, marker="o", ms=3, label=name_of(founder, colours))
        for founder, colour in colours.items()
        if named[colour] == founder
    ]
    figure.legend(handles=handles, loc="upper center", ncols=4)


def _caption(table: pd.DataFrame, drawn: pd.DataFrame) -> str:
    champion = table.iloc[-1]
    founders = table[table["parents"].map(len) == 0]
    left = len(table) - len(drawn)
    return (
        f"Ancestors of individual {champion['individual']} (star), which stands for the search: "
        f"{len(table) - 1}, of whom {len(founders)} have no parent that is recorded. Lines go from "
        "parent to child, wider where more of a child's numbers are from that parent; along a "
        "horizontal line goes whoever gave most. Colour: the founder of whom most is."
        + (f" The {len(drawn) - 1} through whom most came are drawn." if left else "")
    )
