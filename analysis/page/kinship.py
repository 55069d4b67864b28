"""Where the genomes of a report come from: a picture, and who is who in words."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from analysis.lineage.folders import nodes_of
from analysis.lineage.graph import Graph, Key, Node
from analysis.lineage.view import DIGITS, as_svg
from analysis.page.contents import Contents
from evoplastic.records.events import EvaluationEvent

MOST_NODES = 600  # of a picture


class Ancestor(NamedTuple):
    """One genome in words."""

    run_id: str
    what: str
    generation: str
    digest: str
    held_out: str


class Kinship(NamedTuple):
    """Lineage of the runs of a report."""

    svg: str  # "" where there are too many genomes to be drawn
    alt: str
    genomes: tuple[Ancestor, ...]


def kinship_of(contents: Contents) -> Kinship:
    """Read headers of genomes and journals of the runs; where files lie is not told.

    Raises:
        UsageError: genomes that are said to come from each other.
    """
    found = [
        replace(node, where="in this report" if node.where else "")
        for run in contents.runs
        for node in nodes_of(run.directory)
    ]
    graph = Graph(found)
    newest = {
        Key(run.run_id, last.generation, last.genome_digest)
        for run in contents.runs
        for last in run.evaluations[-1:]
    }
    words = [each for run in contents.runs for each in _of_run(graph, run.run_id, run.evaluations)]
    drawn = as_svg(graph, newest) if len(graph.nodes) <= MOST_NODES else ""
    lanes = len({key.run_id for key in graph.nodes})
    alt = f"{len(graph.nodes)} genomes of {lanes} runs from left to right, parents before children."
    return Kinship(drawn, alt, tuple(words))


def _of_run(graph: Graph, run_id: str, evaluations: tuple[EvaluationEvent, ...]) -> list[Ancestor]:
    """Whom a run began with, its best evaluated center, its newest one."""
    first, last = evaluations[0], evaluations[-1]
    own = Key(run_id, first.generation, first.genome_digest)
    parents = graph.parents.get(own, ())
    words = [_ancestor(graph.nodes[parent], "parent of the first genome") for parent in parents]
    words.append(_told(run_id, "first", first))
    measured = [each for each in evaluations if each.held_out_accuracy is not None]
    if measured:
        best = max(measured, key=lambda each: each.held_out_accuracy or 0.0)
        if best not in (first, last):
            words.append(_told(run_id, "best on held-out tasks", best))
    if last is not first:
        words.append(_told(run_id, "newest", last))
    return words


def _told(run_id: str, what: str, each: EvaluationEvent) -> Ancestor:
    held_out = each.held_out_accuracy
    reached = "-" if held_out is None else f"{held_out:.1%}"
    return Ancestor(run_id, what, str(each.generation), each.genome_digest[:DIGITS], reached)


def _ancestor(node: Node, what: str) -> Ancestor:
    generation = "-" if node.key.generation is None else str(node.key.generation)
    held_out = "-" if node.held_out is None else f"{node.held_out:.1%}"
    return Ancestor(
        node.key.run_id or "no run", what, generation, node.key.digest[:DIGITS], held_out
    )
