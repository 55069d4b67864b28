"""A lineage as lines on a terminal, as JSON, as SVG and as a page of HTML."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from analysis.lineage.graph import Graph, Key, Node
from evoplastic.checks import require
from evoplastic.storage import write_atomically

DIGITS = 16  # of a digest that are shown
FORMATS = (".html", ".svg", ".json")
LANE_PX, STEP_PX, MARGIN_PX = 56, 46, 24
MOST_STEPS = 400  # columns of a picture
MOST_SPARED = 12  # genomes in focus of which each has a line; of more, stretches are one line, too


class Line(NamedTuple):
    """One genome or a stretch of them, and what hangs below."""

    text: str
    focus: bool
    below: list[Line]


def as_lines(graph: Graph, focus: set[Key]) -> list[Line]:
    """A tree for each founder; a genome of several parents hangs below the first of them."""
    spared = focus if len(focus) <= MOST_SPARED else set()
    return [_line(graph, key, focus, spared) for key in graph.founders]


def _line(graph: Graph, key: Key, focus: set[Key], spared: set[Key]) -> Line:
    # A run may have thousands of generations: the way down is a loop, branches alone call again.
    first = Line(_words(graph, key), key in focus, [])
    at, below = key, first.below
    while True:
        hanging = _hanging(graph, at)
        stretch: list[Key] = []
        while len(hanging) == 1 and _goes_on(graph, hanging[0], spared):
            stretch.append(hanging[0])
            hanging = _hanging(graph, hanging[0])
        if len(stretch) > 1:
            told = f"… {len(stretch)} centers of this run"
            below.append(Line(told, all(one in focus for one in stretch), []))
            below = below[-1].below
        elif stretch:
            below.append(Line(_words(graph, stretch[0]), stretch[0] in focus, []))
            below = below[-1].below
        if len(hanging) != 1:
            below += [_line(graph, child, focus, spared) for child in hanging]
            return first
        at = hanging[0]
        below.append(Line(_words(graph, at), at in focus, []))
        below = below[-1].below


def _hanging(graph: Graph, key: Key) -> list[Key]:
    """Children whose first parent this is; those of its own run come last."""
    found = [child for child in graph.children.get(key, ()) if graph.parents[child][0] == key]
    return sorted(found, key=lambda child: (child.run_id == key.run_id, child))


def _goes_on(graph: Graph, key: Key, spared: set[Key]) -> bool:
    """Whether a genome is nothing but one center after another."""
    hanging = _hanging(graph, key)
    return (
        key not in spared
        and len(graph.parents[key]) == 1
        and graph.parents[key][0].run_id == key.run_id
        and len(hanging) == 1
        and hanging[0].run_id == key.run_id
    )


def _words(graph: Graph, key: Key) -> str:
    node, others = graph.nodes[key], graph.parents.get(key, ())[1:]
    at = "" if key.generation is None else f"@{key.generation}"
    parts = [key.digest[:DIGITS], f"{key.run_id}{at}" if key.run_id else "of no run"]
    parts += [node.operator] if node.operator else []
    parts += [] if node.held_out is None else [f"held-out {node.held_out:.1%}"]
    parts += [f"by {node.user}"] if node.user else []
    if others:
        parts.append("and from " + ", ".join(other.digest[:DIGITS] for other in others))
    if not graph.parents.get(key) or graph.parents[key][0].run_id != key.run_id:
        parts.append(_from_here(node.where) or "not found here")
    return "  ".join(parts)


def _from_here(where: str) -> str:
    """A folder below the present one by its path from there; any other place as it is."""
    place = Path(where)
    return str(place.relative_to(Path.cwd())) if place.is_relative_to(Path.cwd()) else where


def as_json(graph: Graph, focus: set[Key]) -> dict[str, Any]:
    """All genomes, parents before children of one run, and those that were asked for."""
    ordered = sorted(graph.nodes.values(), key=lambda node: _order(node.key))
    return {
        "focus": [key._asdict() for key in sorted(focus, key=_order)],
        "genomes": [node.describe() for node in ordered],
    }


def _order(key: Key) -> tuple[str, int, str]:
    return key.run_id, -1 if key.generation is None else key.generation, key.digest


def as_svg(graph: Graph, focus: set[Key]) -> str:
    """A lane for each run, from left to right by generation; arrows go from parents to children."""
    place, width, lanes = _places(graph)
    drawn = [
        f'<path d="M{place[parent][0]} {place[parent][1]} L{place[key][0]} {place[key][1]}" '
        f'stroke="{"#8a8f98" if parent.run_id == key.run_id else "#d1495b"}" fill="none"/>'
        for key, parents in graph.parents.items()
        for parent in parents
    ]
    for key, (x, y) in place.items():
        colour = "#d1495b" if key in focus else "#00798c"
        told = html.escape(_words(graph, key))
        drawn.append(
            f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}"><title>{told}</title></circle>'
        )
    for run_id, lane in lanes.items():
        y = MARGIN_PX + lane * LANE_PX - 10
        drawn.append(f'<text x="{MARGIN_PX}" y="{y}">{html.escape(run_id or "of no run")}</text>')
    height = 2 * MARGIN_PX + max(len(lanes), 1) * LANE_PX
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="sans-serif" font-size="11">{"".join(drawn)}</svg>'
    )


def _places(graph: Graph) -> tuple[dict[Key, tuple[int, int]], int, dict[str, int]]:
    """Where each genome is drawn, how wide that is, and the lane of each run."""
    depth: dict[Key, int] = {}
    lanes: dict[str, int] = {}
    for key in _from_the_founders(graph):
        depth[key] = 1 + max((depth[parent] for parent in graph.parents.get(key, ())), default=-1)
        lanes.setdefault(key.run_id, len(lanes))
    deepest = max(depth.values(), default=0)
    step = STEP_PX * min(1.0, MOST_STEPS / max(deepest, 1))
    place = {
        key: (round(MARGIN_PX + step * column), MARGIN_PX + lanes[key.run_id] * LANE_PX + 6)
        for key, column in depth.items()
    }
    return place, round(2 * MARGIN_PX + step * deepest) + 260, lanes


def _from_the_founders(graph: Graph) -> Iterator[Key]:
    """Parents before children."""
    waiting = {key: len(graph.parents.get(key, ())) for key in graph.nodes}
    free = sorted((key for key, number in waiting.items() if not number), key=_order)
    while free:
        key = free.pop(0)
        yield key
        for child in graph.children.get(key, ()):
            waiting[child] -= 1
            if not waiting[child]:
                free.append(child)


def as_html(graph: Graph, focus: set[Key]) -> str:
    """A page that needs nothing from elsewhere: the picture, and a table of all genomes."""
    columns = ("digest", "run_id", "generation", "operator", "held_out", "user", "where")
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(_cell(node, name))}</td>" for name in (*columns, "parents"))
        + "</tr>"
        for node in sorted(graph.nodes.values(), key=lambda node: _order(node.key))
    )
    head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in (*columns, "parents"))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lineage</title>'
        "<style>body{font:13px sans-serif}td,th{text-align:left;padding:2px 10px}"
        ".wide{overflow-x:auto}</style>"
        f'<h1>Lineage</h1><div class="wide">{as_svg(graph, focus)}</div>'
        f"<table><tr>{head}</tr>{rows}</table></html>"
    )


def _cell(node: Node, name: str) -> str:
    if name == "parents":
        return ", ".join(map(str, node.parents))
    value = node.describe()[name]
    return "" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def write(graph: Graph, focus: set[Key], out: Path) -> None:
    """Write a picture, a page or JSON, by the name's suffix.

    Raises:
        UsageError: another suffix.
        EnvironmentFault: it cannot be written.
    """
    import json

    require(out.suffix in FORMATS, f"{out} is to be written, expected one of {', '.join(FORMATS)}")
    text = {
        ".html": lambda: as_html(graph, focus),
        ".svg": lambda: as_svg(graph, focus),
        ".json": lambda: json.dumps(as_json(graph, focus), indent=2),
    }[out.suffix]()
    write_atomically(out, text.encode())
