"""Lineages as run directories tell them: headers of genomes, and evaluations of the journal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from analysis.lineage.graph import Key, Node
from analysis.store import read_events
from evoplastic.checks import UsageError
from evoplastic.genome.parents import OPERATOR, Parent, as_parent, read_parents
from evoplastic.records.events import EvaluationEvent, StartEvent
from evoplastic.records.names import GENOME_SUFFIX, INITIAL_NAME, JOURNAL_NAME, START_NAME
from evoplastic.storage import read_header

logger = logging.getLogger(__name__)


def runs_near(places: list[Path]) -> list[Path]:
    """The run directories among some folders and in them, each once."""
    found: dict[Path, None] = {}
    for place in places:
        for folder in (place, *(sorted(place.iterdir()) if place.is_dir() else ())):
            if (folder / JOURNAL_NAME).is_file():
                found[folder.resolve()] = None
    return list(found)


def nodes_of(run_dir: Path) -> Iterator[Node]:
    """The genomes of a run directory; of a damaged one what can be read."""
    where = str(run_dir)
    files = sorted((run_dir / "genomes").glob(f"*{GENOME_SUFFIX}"))
    for file in (*files, run_dir / START_NAME):
        if file.is_file():
            node = node_of(file, str(file) if file.name == START_NAME else where)
            if node is not None:
                yield node
    try:
        events = read_events(run_dir / JOURNAL_NAME)
    except UsageError as error:
        _leave_out(str(error))
        return
    run_id = next((event.run_id for event in events if isinstance(event, StartEvent)), "")
    before: Key | None = None
    for event in events:
        if isinstance(event, EvaluationEvent):
            key = Key(run_id, event.generation, event.genome_digest)
            known = before is not None and before.digest == event.parent_digest
            parents: tuple[Parent, ...] = ()
            if known and before is not None:
                parents = (Parent(before.digest, run_id, before.generation),)
            yield Node(key, parents, held_out=event.held_out_accuracy, where=where)
            before = key


def node_of(file: Path, where: str = "") -> Node | None:
    """What a genome file's header says; None, with a warning, for anything that is no genome."""
    try:
        header = read_header(file, "genome")
        provenance, digest = dict(header["provenance"]), str(header["digest"])
        if not str(header["schema"]).startswith("evoplastic/genome/"):
            return None
        own, parents = as_parent(digest, provenance), read_parents(header, provenance)
    except UsageError as error:
        _leave_out(str(error))
        return None
    except (ValueError, KeyError, TypeError) as error:
        _leave_out(f"{file} is no whole genome ({error})")
        return None
    operator = str(provenance.get(OPERATOR, "random" if file.name == INITIAL_NAME else ""))
    return Node(Key.of(own), parents, operator, where=where or str(file.parent))


@cache
def _leave_out(told: str) -> None:
    """Warn of a file once, however often it is looked at."""
    logger.warning("%s; its lineage is left out", told)
