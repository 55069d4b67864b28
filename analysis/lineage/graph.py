"""Genomes and what they were made from, as a graph without circles.

A genome of a graph is one of a run and a generation: a center that did not move is there twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from evoplastic.checks import UsageError
from evoplastic.genome.parents import Parent


class Key(NamedTuple):
    """Which genome."""

    run_id: str  # "" of a genome of no run
    generation: int | None
    digest: str

    @classmethod
    def of(cls, parent: Parent) -> Key:
        """The genome that a parent is."""
        return cls(parent.run_id, parent.generation, parent.digest)


@dataclass(frozen=True)
class Node:
    """One genome, and what is known of it."""

    key: Key
    parents: tuple[Parent, ...] = ()
    operator: str = ""
    held_out: float | None = None
    where: str = ""  # a folder, or an entry of the tracking store
    user: str = ""

    def describe(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **self.key._asdict(),
            "operator": self.operator,
            "parents": [parent._asdict() for parent in self.parents],
            "held_out": self.held_out,
            "where": self.where,
            "user": self.user,
        }


class Graph:
    """All genomes that were found, with arrows from parents to children.

    Raises:
        UsageError: genomes that come from each other, naming their digests: no search makes them.
    """

    def __init__(self, found: Iterable[Node]) -> None:
        self.nodes: dict[Key, Node] = {}
        for node in found:
            there = self.nodes.get(node.key)
            self.nodes[node.key] = node if there is None else _joined(there, node)
        self._of_run: dict[tuple[str, str], list[Key]] = {}
        for key in self.nodes:
            self._of_run.setdefault((key.run_id, key.digest), []).append(key)
        self.parents: dict[Key, tuple[Key, ...]] = {
            key: tuple(dict.fromkeys(self._meant(key, parent) for parent in node.parents))
            for key, node in list(self.nodes.items())
        }
        self.children: dict[Key, list[Key]] = {key: [] for key in self.nodes}
        for key, parents in self.parents.items():
            for parent in parents:
                self.nodes.setdefault(parent, Node(parent))  # named, but nowhere to be found
                self.children.setdefault(parent, []).append(key)
        self._require_no_circle()

    def _meant(self, child: Key, parent: Parent) -> Key:
        """Files of earlier versions do not say of which generation a parent is."""
        if parent.generation is not None or not parent.run_id:
            return Key.of(parent)
        before = [
            key
            for key in self._of_run.get((parent.run_id, parent.digest), ())
            if key.generation is not None
            and (parent.run_id != child.run_id or key.generation < (child.generation or 0))
        ]
        return max(before, key=lambda key: key.generation or 0, default=Key.of(parent))

    def family(self, focus: Iterable[Key]) -> Graph:
        """Those that the genomes in focus came from, and those that came from them."""
        chosen = list(focus)
        kept = set(_reached(chosen, self.parents)) | set(_reached(chosen, self.children))
        return Graph(node for key, node in self.nodes.items() if key in kept)

    @property
    def founders(self) -> list[Key]:
        """Those without a parent."""
        return [key for key in self.nodes if not self.parents.get(key)]

    def _require_no_circle(self) -> None:
        """Take away who has no parent left, again and again: what is left holds a circle."""
        waiting = {key: len(self.parents.get(key, ())) for key in self.nodes}
        free = [key for key, number in waiting.items() if not number]
        while free:
            key = free.pop()
            del waiting[key]
            for child in self.children.get(key, ()):
                waiting[child] -= 1
                if not waiting[child]:
                    free.append(child)
        if waiting:
            circle = self._circle(next(iter(waiting)), waiting)
            listed = " <- ".join(f"{key.digest[:16]} ({_place(key)})" for key in circle)
            raise UsageError(
                f"genomes are said to come from each other: {listed}; no search makes such a "
                "circle, so a file was forged or mixed up: restore these genomes from a copy"
            )

    def _circle(self, start: Key, within: Mapping[Key, int]) -> list[Key]:
        """Going from parent to parent, the first genome that comes again and those until then."""
        way, at = dict[Key, int](), start
        while at not in way:
            way[at] = len(way)
            at = next(parent for parent in self.parents[at] if parent in within)
        return [*list(way)[way[at] :], at]


def _reached(start: Sequence[Key], arrows: Mapping[Key, Sequence[Key]]) -> Iterator[Key]:
    seen, waiting = set[Key](), list(start)
    while waiting:
        key = waiting.pop()
        if key not in seen:
            seen.add(key)
            yield key
            waiting += arrows.get(key, ())


def _joined(one: Node, other: Node) -> Node:
    """What two places know of a genome; where they disagree, the first one holds."""
    return replace(
        one,
        parents=one.parents or other.parents,
        operator=one.operator or other.operator,
        held_out=other.held_out if one.held_out is None else one.held_out,
        where=one.where or other.where,
        user=one.user or other.user,
    )


def _place(key: Key) -> str:
    at = "" if key.generation is None else f"@{key.generation}"
    return f"{key.run_id}{at}" if key.run_id else "of no run"
