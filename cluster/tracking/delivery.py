"""From the journal and the files of a run directory to a tracking store, each point once.

A cursor in the run directory says up to which byte of the journal a store has everything. It moves
after the store has answered; a process killed in between delivers again, with the same timestamps,
and the store keeps one. Each store has a cursor of its own.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cluster.journal import now_ms, read_journal
from cluster.session.summaries import last_evaluation_of
from cluster.sweep.record import membership
from cluster.tracking.elites import deliver_elites
from cluster.tracking.mlflow_store import DeletedExperiment, MlflowStore, RunState, user_name
from cluster.tracking.models import Origin, Suite, deliver_model, deliver_suite, origin_tags
from cluster.tracking.page.details import FOLDER, write_details
from cluster.tracking.page.naming import identity_tags, parameters, run_name
from cluster.tracking.page.note import Place, note
from cluster.tracking.page.points import Told, points_of
from cluster.tracking.parent import open_parent
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.commands import command
from evoplastic.inside import is_inside
from evoplastic.notes import NOTE_TAG, with_links
from evoplastic.reading import parse_object, read_mapping, read_text
from evoplastic.records.events import (
    EndEvent,
    EvaluationEvent,
    Event,
    FaultEvent,
    GenerationEvent,
    ResumeEvent,
    StartEvent,
)
from evoplastic.records.names import (
    ARCHIVE_NAME,
    CONFIG_NAME,
    ENVIRONMENTS_FILE,
    ENVIRONMENTS_NAME,
    JOURNAL_NAME,
    MODEL_TAG_DIGEST,
    PAIRS,
    PEDIGREE_NAME,
    START_NAME,
    TAG_ENGINE,
    TAG_GENOME,
    TAG_GENOME_PARENT,
    TAG_RESUMES,
    TRACKING_NAME,
    TRANSFERS_NAME,
    Status,
)
from evoplastic.storage import write_atomically
from tasks.suites.negations import negations_of

logger = logging.getLogger(__name__)

EVENTS_PER_BATCH = 50
PAGE = 3  # a store that has an earlier form of a run's page gets the present one beside it
KEPT = "gen_"  # how names of kept centers begin; they and a pedigree are sent when a run is over
ALONE = (CONFIG_NAME, "environment.json", JOURNAL_NAME, START_NAME, ARCHIVE_NAME)
EVOLVED = (ENVIRONMENTS_NAME, TRANSFERS_NAME, ENVIRONMENTS_FILE)  # tasks, and who moved
FILES = (
    *(*ALONE, PEDIGREE_NAME, *EVOLVED),
    *("sources/*", "genomes/*", f"genomes/{PAIRS}/*", "figures/*"),
)
STATES: dict[Status, RunState] = {
    "done": "FINISHED",
    "preempted": "KILLED",
    "interrupted": "KILLED",
    "failed": "FAILED",
}


@dataclass
class Cursor:
    """How far one store is."""

    experiment: str
    mlflow_run_id: str | None = None
    offset: int = 0  # bytes of the journal that the store has
    resumes: int = 0  # resume events among them
    models: dict[str, str] = field(default_factory=dict)  # logged model of each kept center
    ended: bool = False  # whether the store knows that the run ended
    files: dict[str, list[int]] = field(default_factory=dict)  # size and mtime_ns of those sent
    told: Told = field(default_factory=Told)  # at the offset
    page: int = PAGE  # version of what is told

    def rewind(self) -> None:
        """Begin with the journal again."""
        self.offset, self.resumes, self.told, self.page = 0, 0, Told(), PAGE


class Delivery:
    """One run's way to one store; for one thread at a time.

    Args:
        run_dir: the run directory.
        journal: its journal.
        uri: MLflow tracking URI.
        experiment: MLflow experiment for a run that the store does not know.
    """

    def __init__(self, run_dir: Path, journal: Path, uri: str, experiment: str) -> None:
        self.uri = uri
        self.cursor = read_cursors(run_dir).get(uri, Cursor(experiment))
        self.points = 0  # delivered by this object
        self.files: list[str] = []  # delivered by this object, by their path in the run directory
        self._run_dir = run_dir
        self._journal = journal
        self._store: MlflowStore | None = None
        self._config: dict[str, Any] = {}
        self._halves = False
        self._negations: tuple[tuple[str, str], ...] = ()
        self._start: StartEvent | None = None
        self._last: EvaluationEvent | None = None  # among the events delivered by now
        self._status: Status | None = None
        self._suite = Suite("", "")

    def deliver(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Deliver everything that the store lacks; may be repeated after any error.

        Raises:
            Exception: whatever the store raises.
        """
        try:
            self._rewind_if_rewritten()
            store = self._connect()
            while not stop():
                events, offset = read_journal(self._journal, self.cursor.offset, EVENTS_PER_BATCH)
                if not events:
                    break
                self._deliver(store, events)
                self.cursor.offset = offset
                self._save()
        except Exception:
            self._store = None
            raise

    def deliver_files(self) -> None:
        """Deliver the files that changed since they were last delivered."""
        store = self._connect()
        run_id = self._run_id
        for file in self._present_files():
            name = file.relative_to(self._run_dir).as_posix()
            stat = file.stat()
            fingerprint = [stat.st_size, stat.st_mtime_ns]
            if self.cursor.files.get(name) != fingerprint:
                folder = Path(name).parent.as_posix()
                store.log_file(run_id, file, "" if folder == "." else folder)
                self.cursor.files[name] = fingerprint
                self.files.append(name)
        self._save()

    def end(self, status: Status) -> None:
        """Tell how the run ended, where no event of the journal tells it."""
        if not self.cursor.ended:
            store = self._connect()
            store.set_state(self._run_id, STATES[status], now_ms())
            self._status = status
            self._write_note(store)
            self.cursor.ended = True
            self._save()

    def backlog(self) -> int:
        """Events of the journal that the store lacks."""
        return len(read_journal(self._journal, self.cursor.offset)[0])

    @property
    def _run_id(self) -> str:
        run_id = self.cursor.mlflow_run_id
        assert run_id is not None, "a store was opened without its run"
        return run_id

    def _connect(self) -> MlflowStore:
        """Open the store and find the run there; a store that lost it gets everything again."""
        if self._store is not None:
            return self._store
        events, _ = read_journal(self._journal, 0, 1)
        start = events[0] if events else None
        if not isinstance(start, StartEvent):
            raise UsageError(f"{self._journal} does not begin with the start of a run; restore it")
        experiment = self.cursor.experiment
        try:
            store = MlflowStore(self.uri, experiment)
        except DeletedExperiment as error:
            other = ("--store", self.uri, "--experiment", f"{experiment}-2")
            raise EnvironmentFault(
                f"{error}; restore it there, or deliver the run to another one: "
                f"`{command('sync', self._run_dir, *other)}`"
            ) from error
        config = read_mapping(self._run_dir / CONFIG_NAME, "configuration file")
        run_id = store.open_run(start, self.cursor.mlflow_run_id, run_name(start, config))
        if run_id != self.cursor.mlflow_run_id:
            self.cursor = Cursor(self.cursor.experiment, run_id)
        settings = parameters(config)
        store.log_params(run_id, settings)
        store.log_points(run_id, [], identity_tags(config) | origin_tags(self._run_dir))
        self._start, self._config = start, config
        self._halves = settings.get("curriculum.name") == "alternate_halves"
        self._negations = negations_of(start, config)
        if self.cursor.page != PAGE:
            self.cursor.rewind()
        self._recall()
        self._suite = Suite(str(config.get("suite", "suite")), start.suite_digest)
        deliver_suite(store, run_id, self._suite)
        member = membership(self._run_dir)
        if member is not None:
            sweep, name = member
            root = self._run_dir.absolute().parent
            store.put_below(run_id, open_parent(store, self.uri, experiment, root, sweep), name)
        self._store = store
        return store

    def _deliver(self, store: MlflowStore, events: list[Event]) -> None:
        run_id = self._run_id
        told = replace(self.cursor.told)  # a batch that fails is told again from where it began
        points = points_of(events, told, self._halves, self._negations)
        resumes = self.cursor.resumes + sum(isinstance(event, ResumeEvent) for event in events)
        store.log_points(run_id, points, _tags(events, resumes))
        for event in events:
            if isinstance(event, EvaluationEvent):
                self._last = event
            if isinstance(event, StartEvent | ResumeEvent | EndEvent):
                self._status = event.status if isinstance(event, EndEvent) else None
        if any(isinstance(event, EvaluationEvent | EndEvent) for event in events):
            self.deliver_files()
        if any(isinstance(event, EndEvent) for event in events):
            self._deliver_details(store)
        if any(not isinstance(event, GenerationEvent | FaultEvent) for event in events):
            self._write_note(store)
        for event in events:
            if isinstance(event, EvaluationEvent):
                self._deliver_model(store, event)
            if isinstance(event, EndEvent) and event.status == "done":
                deliver_elites(store, self._origin)
            self._tell_state(store, run_id, event)
        self.cursor.resumes, self.cursor.told = resumes, told
        self.points += len(points)

    @property
    def _origin(self) -> Origin:
        assert self._start is not None, "models are delivered once the run is known"
        return Origin(self._run_dir, self._start, self._run_id, user_name())

    def _deliver_model(self, store: MlflowStore, event: EvaluationEvent) -> None:
        name = f"{event.generation}-{event.genome_digest[:16]}"
        if name in self.cursor.models:
            return
        model = deliver_model(store, self._origin, event, self._suite)
        if model is not None:
            self.cursor.models[name] = model
            self._save()

    def _deliver_details(self, store: MlflowStore) -> None:
        with tempfile.TemporaryDirectory(prefix="evoplastic-") as folder:
            events, _ = read_journal(self._journal)
            store.log_file(self._run_id, write_details(events, Path(folder)), FOLDER)

    def _write_note(self, store: MlflowStore) -> None:
        assert self._start is not None, "a note is written once the run is known"
        place = Place(self.uri, self._run_id)
        text = note(self._run_dir, self._start, self._config, place, self._last, self._status)
        links = store.artifacts(self._run_id, "figures")
        content = with_links(text, store.experiment_id, self._run_id, links)
        store.log_points(self._run_id, [], {NOTE_TAG: content})

    def _tell_state(self, store: MlflowStore, run_id: str, event: Event) -> None:
        if isinstance(event, EndEvent):
            store.set_state(run_id, STATES[event.status], event.time_ms)
            self.cursor.ended = True
        elif isinstance(event, ResumeEvent):
            store.set_state(run_id, "RUNNING", event.time_ms)
            self.cursor.ended = False

    def _recall(self) -> None:
        """Read the newest evaluation, for the note of a run that was delivered in part."""
        events = read_journal(self._journal)[0] if self.cursor.offset else []
        self._last = last_evaluation_of(events)

    def _present_files(self) -> list[Path]:
        files = [file for pattern in FILES for file in sorted(self._run_dir.glob(pattern))]
        passed = (".",) if self.cursor.ended else (".", KEPT, PEDIGREE_NAME)
        shown = [file for file in files if not file.name.startswith(passed)]
        return [file for file in shown if is_inside(file, self._run_dir)]

    def _rewind_if_rewritten(self) -> None:
        """A journal restored from elsewhere need not have a line's end where the cursor stands."""
        offset = self.cursor.offset
        with self._journal.open("rb") as file:
            file.seek(max(offset - 1, 0))
            if offset and file.read(1) != b"\n":
                logger.warning("%s was rewritten; delivering it from its start", self._journal)
                self.cursor.rewind()

    def _save(self) -> None:
        cursors = read_cursors(self._run_dir) | {self.uri: self.cursor}
        _write_cursors(self._run_dir, self.uri, cursors)


def read_cursors(run_dir: Path) -> dict[str, Cursor]:
    """Cursors by tracking URI; a damaged file counts as none, delivering again is harmless."""
    stores = _read_tracking(run_dir).get("stores", {})
    found = {}
    for uri, raw in stores.items() if isinstance(stores, dict) else ():
        cursor = _cursor(raw)
        if cursor is not None:
            found[uri] = cursor
    return found


def _cursor(raw: Any) -> Cursor | None:
    """A cursor as it was saved, or None for anything else."""
    try:
        cursor = Cursor(**{"page": 1, **raw, "told": Told(**raw.get("told", {}))})
    except (TypeError, AttributeError):
        return None
    counts = (cursor.offset, cursor.resumes)
    sound = (
        isinstance(cursor.experiment, str)
        and isinstance(cursor.mlflow_run_id, str | None)
        and all(type(count) is int and count >= 0 for count in counts)
        and isinstance(cursor.ended, bool)
        and isinstance(cursor.files, dict)
        and isinstance(cursor.models, dict)
        and isinstance(cursor.told.generations, int)
        and isinstance(cursor.told.seconds, int | float)
    )
    return cursor if sound else None


def change_experiment(run_dir: Path, experiment: str) -> None:
    """From here on, deliver the run to this experiment, all of it anew where that is another."""
    cursors = read_cursors(run_dir)
    kept = {uri: each for uri, each in cursors.items() if each.experiment == experiment}
    if len(kept) < len(cursors):
        _write_cursors(run_dir, last_uri(run_dir), kept)


def _write_cursors(run_dir: Path, uri: str | None, cursors: dict[str, Cursor]) -> None:
    content = {"uri": uri, "stores": {name: asdict(cursor) for name, cursor in cursors.items()}}
    write_atomically(
        run_dir / TRACKING_NAME, json.dumps(content, indent=2, sort_keys=True).encode()
    )


def last_uri(run_dir: Path) -> str | None:
    """The store that the run was last delivered to."""
    uri = _read_tracking(run_dir).get("uri")
    return uri if isinstance(uri, str) else None


def _read_tracking(run_dir: Path) -> dict[str, Any]:
    file = run_dir / TRACKING_NAME
    try:
        return parse_object(read_text(file, "file"), str(file)) if file.exists() else {}
    except UsageError as error:
        logger.warning("%s is damaged (%s); delivering everything again", file, error)
        return {}


def _tags(events: list[Event], resumes: int) -> dict[str, str]:
    tags = {TAG_RESUMES: str(resumes)} if resumes else {}
    for event in events:
        if isinstance(event, StartEvent | ResumeEvent) and event.engine:
            tags[TAG_ENGINE] = event.engine
        if isinstance(event, EvaluationEvent):
            tags[TAG_GENOME] = tags[MODEL_TAG_DIGEST] = event.genome_digest
            if event.parent_digest:
                tags[TAG_GENOME_PARENT] = event.parent_digest
    return tags
