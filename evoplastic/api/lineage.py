"""Which genome came from which: within a run, across runs, and in the population of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import RUNS
from evoplastic.checks import UsageError, require

if TYPE_CHECKING:
    from analysis.lineage.graph import Graph, Key, Node
    from analysis.lineage.pedigree import Pedigree
    from analysis.store import RunRecords


@dataclass(frozen=True)
class Population:
    """The pedigree of a run whose search keeps individuals, and what follows from it."""

    records: RunRecords
    pedigree: Pedigree

    @cached_property
    def tables(self) -> dict[str, Any]:
        """The numbers of the figures: ancestry, founders, and where genomes are kept distance.

        Raises:
            UsageError: a genome of the run is corrupt.
        """
        from analysis.figures.pedigree.writing import tables_of

        return tables_of(self.records, self.pedigree)

    @property
    def table(self) -> Any:
        """A row for each individual and generation in which it lived."""
        return self.pedigree.table

    @property
    def champion(self) -> int:
        """The individual that stands for the search after the last generation."""
        return self.pedigree.champion

    def ancestry(self, individual: int | None = None) -> Any:
        """Everybody that an individual came from, by default the champion; the oldest first.

        Raises:
            UsageError: nobody of this number is in the pedigree.
        """
        from analysis.lineage.pedigree import ancestry

        return ancestry(self.pedigree, individual)

    def draw(self, out: str | Path | None = None) -> list[Path]:
        """Write pedigree_NAME as PNG, SVG, PDF, CSV and JSON for each table; the files.

        Args:
            out: folder to write to; none means that of the run's figures.

        Raises:
            EnvironmentFault: the folder cannot be written.
        """
        from analysis.figures.pedigree.writing import write_tables

        default = self.records.directory / "figures"
        if self.records.from_mlflow:
            default = Path(f"figures-{self.records.run_id}")
        folder = default if out is None else Path(out)
        require(not folder.is_file(), f"{folder} is a file, expected a folder for the figures")
        return write_tables(self.records, self.tables, folder)


@dataclass(frozen=True)
class Lineage:
    """A family of genomes: those asked for, whom they came from, and who came from them."""

    graph: Graph
    focus: frozenset[Key]  # those asked for
    run_dir: Path | None  # of a run that was asked for

    @cached_property
    def population(self) -> Population | None:
        """The pedigree of a run that was asked for, if its search keeps individuals.

        Raises:
            UsageError: a damaged pedigree.
        """
        from analysis.store import read_directory

        if self.run_dir is None or not self.has_population:
            return None
        return _population(read_directory(self.run_dir))

    @property
    def has_population(self) -> bool:
        """Whether there is a pedigree."""
        from evoplastic.records.names import PEDIGREE_NAME

        return self.run_dir is not None and (self.run_dir / PEDIGREE_NAME).is_file()

    @property
    def genomes(self) -> list[dict[str, Any]]:
        """Every genome with its run, generation, parents, operator and held-out accuracy."""
        from analysis.lineage.view import as_json

        return list(as_json(self.graph, set(self.focus))["genomes"])

    def write(self, out: str | Path) -> None:
        """Write the family as a page, a picture or JSON, by the name's suffix.

        Raises:
            UsageError: a suffix other than .html, .svg and .json.
            EnvironmentFault: it cannot be written.
        """
        from analysis.lineage.view import write

        write(self.graph, set(self.focus), Path(out))


def lineage(
    genome: str | Path,
    *,
    near: Sequence[str | Path] = (),
    store: str | None = None,
) -> Lineage:
    """Find what a genome, or the genomes of a run, came from and what came from them.

    Args:
        genome: a run directory, or a reference to a genome, see `load`.
        near: run directories, or folders of them, to look in beside runs/ and the folder of the
            run.
        store: an MLflow store to look in, too: in all of its experiments, whoever's runs they are.

    Raises:
        UsageError: nothing of that name; genomes that are said to come from each other.
        EnvironmentFault: the store does not answer.
    """
    from analysis.lineage.folders import nodes_of, runs_near
    from analysis.lineage.graph import Graph

    run_dir, whole, asked = _asked(str(genome), store)
    beside = [] if run_dir is None else [run_dir.parent, run_dir]
    places = [RUNS, *map(Path, near), *beside]
    found = [*asked, *(node for near_by in runs_near(places) for node in nodes_of(near_by))]
    keys = {node.key for node in asked}
    if store is not None:
        from analysis.lineage.store import nodes_in_store

        runs = {key.run_id for key in _known(found, keys)}
        found += nodes_in_store(runs, {key.digest for key in keys}, store)
    graph = Graph(found).family(keys)
    return Lineage(graph, frozenset(keys), run_dir if whole else None)


def population(run: str | Path, store: str | None = None) -> Population:
    """The pedigree of a run, whose search keeps individuals.

    Args:
        run: a run directory, an MLflow run id, or the run's own id.
        store: MLflow store of a run that is given by id.

    Raises:
        UsageError: no such run; one without a pedigree, saying why; a damaged one.
        EnvironmentFault: the store does not answer.
    """
    from analysis.store import open_run

    records = open_run(run, store)
    found = _population(records)
    if found is None:
        search = (records.config.get("search") or {}).get("name", "")
        raise UsageError(
            f"run {records.run_id} has no pedigree of a population: "
            + (
                f"its search is {search!r}, and those that keep individuals are "
                f"{', '.join(BREEDING)}; leave out --population for the lineage of its centers"
                if search not in BREEDING
                else "it was begun by an earlier version, has not been measured yet, keeps none "
                "(evaluation.pedigree_mib=0), or its store has none of a run that goes on"
            )
        )
    return found


BREEDING = ("ga", "steady_state_ga", "cosyne", "map_elites")  # searches; a test looks at all


def _population(records: RunRecords) -> Population | None:
    from analysis.lineage.pedigree import read_pedigree

    pedigree = read_pedigree(records.directory)
    return None if pedigree is None else Population(records, pedigree)


def _asked(genome: str, store: str | None) -> tuple[Path | None, bool, list[Node]]:
    """The run directory, whether it was named as a whole, and the genomes asked for."""
    from analysis.lineage.folders import node_of, nodes_of
    from evoplastic.api.references import find_genome
    from evoplastic.records.names import CONFIG_NAME, START_NAME

    for place in (Path(genome), RUNS / genome):
        if os.path.isdir(place) and (place / CONFIG_NAME).is_file():
            run_dir = place.resolve()
            own = [node for node in nodes_of(run_dir) if node.where == str(run_dir)]
            if own:
                return run_dir, True, own
    found = find_genome(genome, store)
    run = found.path.resolve().parent.parent
    is_kept = found.config is not None and found.path.name != START_NAME
    node = node_of(found.path, str(run) if is_kept else "")
    if node is None:
        raise UsageError(f"{found.path} does not say where it comes from; restore it from a copy")
    return (run if is_kept else None), False, [node]


def _known(found: Iterable[Node], keys: set[Key]) -> set[Key]:
    """The genomes asked for and all of their family that lie near."""
    from analysis.lineage.graph import Graph

    return set(Graph(found).family(keys).nodes)
