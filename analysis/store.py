"""What a run left behind, from its directory or from MLflow, as one value.

The journal is the truth; nothing here writes into a run.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from evoplastic.chain import Chain
from evoplastic.checks import UsageError, require
from evoplastic.inside import require_inside
from evoplastic.reading import read_mapping
from evoplastic.records.events import (
    EndEvent,
    EvaluationEvent,
    Event,
    FaultEvent,
    GenerationEvent,
    ResumeEvent,
    StartEvent,
    from_line,
)
from evoplastic.records.names import CONFIG_NAME, GENOME_SUFFIX, JOURNAL_NAME, Status

if TYPE_CHECKING:
    from evoplastic.genome.genome import Genome


RUNS = Path("runs")  # where `evoplastic evolve` makes its directories
OfGeneration = TypeVar("OfGeneration", GenerationEvent, EvaluationEvent)


@dataclass(frozen=True, kw_only=True)
class RunRecords:
    """Records of one run at the moment of reading."""

    directory: Path  # where the files lie: the run directory, or a download of them
    from_mlflow: bool
    start: StartEvent
    config: dict[str, Any]  # the resolved configuration, as in its file
    generations: tuple[GenerationEvent, ...]  # ascending, each once
    evaluations: tuple[EvaluationEvent, ...]  # ascending, each once
    faults: tuple[FaultEvent, ...]
    status: Status | Literal["running"]
    genomes: dict[str, Path]  # file by name, "center" and "initial" among them

    @property
    def run_id(self) -> str:
        """The project's own id of the run."""
        return self.start.run_id

    @property
    def seed(self) -> int:
        """Root of every random number of the run."""
        return self.start.seed

    @property
    def commit(self) -> str:
        """Source commit, seven digits; says so when the source was changed or is unknown."""
        if not self.start.git_commit:
            return "unknown"
        return self.start.git_commit[:7] + (" (changed)" if self.start.git_dirty else "")

    @property
    def num_trials(self) -> int:
        """K, trials of a lifetime."""
        return int(self.config["lifetime"]["num_trials"])

    @property
    def scored_trials(self) -> int:
        """The last trials of a lifetime, over which accuracy is taken."""
        return int(self.config["lifetime"]["scored_trials"])

    def genome(self, name: str = "center") -> Genome:
        """Load a genome of the run.

        Raises:
            UsageError: the run has no genome of that name, or its file is corrupt.
        """
        from evoplastic.genome.genome import Genome

        require(
            name in self.genomes,
            f"run {self.run_id} has no genome {name!r}; it has: {', '.join(sorted(self.genomes))}",
        )
        return Genome.load(self.genomes[name])


def open_run(ref: str | Path, tracking_uri: str | None = None) -> RunRecords:
    """Read the records of a finished or running run.

    Args:
        ref: run directory (the folder runs/ may be left out), MLflow run id, or the run's own id.
        tracking_uri: MLflow store to look in; none means the one that `find_uri` names.

    Raises:
        UsageError: no such run, a directory that holds none, or a corrupt file (named, with line).
        EnvironmentFault: the tracking store does not answer.
    """
    path = Path(ref)
    for place in (path, RUNS / path):
        if place.is_dir():
            return read_directory(place)
    require(not path.is_file(), f"{path} is a file; give a run directory or a run id")
    require(
        os.sep not in str(ref) and not str(ref).startswith("."),
        f"no run directory {path}; give the directory that `evoplastic evolve` made, or a run id",
    )
    from analysis.mlflow_store import download_records

    download = Path(tempfile.mkdtemp(prefix="evoplastic-"))
    download_records(str(ref), download, tracking_uri)
    return read_directory(download, from_mlflow=True)


def read_directory(path: Path, from_mlflow: bool = False) -> RunRecords:
    """Read the records that lie in a directory.

    Raises:
        UsageError: no journal or configuration there, or a corrupt one, or something that leads
            out of the directory.
    """
    journal = path / JOURNAL_NAME
    require_inside(path)
    require(
        journal.is_file(),
        f"{path} holds no {JOURNAL_NAME}, so it is no run directory; give the directory that "
        "`evoplastic evolve` made",
    )
    events = read_events(journal)
    starts = [event for event in events if isinstance(event, StartEvent)]
    require(
        len(starts) > 0,
        f"{journal} has no start event; a run that has just begun writes it within seconds",
    )
    return RunRecords(
        directory=path,
        from_mlflow=from_mlflow,
        start=starts[0],
        config=_read_config(path / CONFIG_NAME),
        generations=_each_once(events, GenerationEvent),
        evaluations=_each_once(events, EvaluationEvent),
        faults=tuple(event for event in events if isinstance(event, FaultEvent)),
        status=_status(events),
        genomes={file.stem: file for file in sorted((path / "genomes").glob(f"*{GENOME_SUFFIX}"))},
    )


def read_events(journal: Path) -> list[Event]:
    """All events of a journal; a last line without a line feed is still being written, and is left.

    Raises:
        UsageError: the file cannot be read; a whole line holds no event, or is not the one that was
            written there; the message names file and line.
    """
    try:
        content = journal.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{journal} cannot be read ({error.strerror or error}); restore it from a copy"
        ) from error
    whole = content[: content.rfind(b"\n") + 1]
    events, chain = [], Chain()
    for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
        where = f"{journal}, line {number},"
        events.append(from_line(line.decode(errors="replace"), where))
        chain.follow(line, where)
    return events


def _each_once(events: Sequence[Event], kind: type[OfGeneration]) -> tuple[OfGeneration, ...]:
    """Events of a kind by generation; of a generation that a resumed run relived, the first."""
    found: dict[int, OfGeneration] = {}
    for event in events:
        if isinstance(event, kind):
            found.setdefault(event.generation, event)
    return tuple(found[generation] for generation in sorted(found))


def _status(events: Sequence[Event]) -> Status | Literal["running"]:
    turns = [event for event in events if isinstance(event, StartEvent | ResumeEvent | EndEvent)]
    return turns[-1].status if isinstance(turns[-1], EndEvent) else "running"


def _read_config(path: Path) -> dict[str, Any]:
    require(path.is_file(), f"{path} is missing; restore it from a copy of the run directory")
    try:
        config = read_mapping(path, "file")
        lifetime = config["lifetime"]
        scored, trials = int(lifetime["scored_trials"]), int(lifetime["num_trials"])
    except (UsageError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"{path} is no resolved configuration ({type(error).__name__}: {error}); restore it "
            "from a copy"
        ) from error
    require(
        0 < scored <= trials,
        f"{path}: scored_trials does not lie within num_trials; restore the file",
    )
    return config
