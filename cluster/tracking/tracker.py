"""Telling a tracking store about a run while it runs, without the run ever waiting for it.

The journal is the truth; one background thread carries it to MLflow. A store that is slow, dead or
never there costs one warning: what it lacks stays in the journal, and `cluster.tracking.sync`
delivers it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cluster.journal import read_journal
from cluster.tracking.delivery import Delivery, last_uri
from cluster.tracking.mlflow_store import SQLITE, sqlite_file
from cluster.tracking.secrets import require_no_secret
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.commands import command
from evoplastic.records.events import EndEvent, GenerationEvent
from evoplastic.records.names import Status

logger = logging.getLogger(__name__)

DEFAULT_URI = f"{SQLITE}mlflow.db"
PERIOD_S = 1.0  # short generations share a request
LOOK_S = 0.1  # between two looks of somebody who waits for us
RETRY_S = (2.0, 60.0)  # pause after the first failure in a row, and the longest
# A store in a file is there, but slow where many drivers share cores and file: MLflow is imported
# in each, and one writes at a time. Whoever would give up after `timeout_s` waits for it so long.
FILE_PATIENCE_S = 180.0
BUSY = "database is locked"  # SQLite's words: another process writes
BUSY_RETRY_S = 0.5


class Tracker:
    """Delivers a run to MLflow in the background.

    `start()` after the journal's first event, `poke()` after every generation (both return at
    once), `catch_up()` before the run's last event and `close(status)` after it. The caller holds
    the run directory's lock.

    Args:
        run_dir: the run directory.
        journal_path: its journal.
        uri: MLflow tracking URI; for none, see `resolve_uri`.
        experiment: MLflow experiment that the run appears in.

    Raises:
        UsageError: the URI holds a secret.
    """

    def __init__(self, run_dir: Path, journal_path: Path, uri: str | None, experiment: str) -> None:
        self.uri = resolve_uri(uri, run_dir)
        self._run_dir = run_dir
        self._journal = journal_path
        self._delivery = Delivery(run_dir, journal_path, self.uri, experiment)
        self._thread = threading.Thread(target=self._work, name="tracker", daemon=True)
        self._news = threading.Event()
        self._hurry = threading.Event()  # somebody waits: no pauses
        self._closing = threading.Event()
        self._given_up = threading.Event()
        self._status: Status = "done"
        self._failures = 0  # in a row
        self._busy = False  # whether the last one was that another process wrote
        self._warned = False
        self._began_at = 0  # byte of the journal

    def start(self) -> None:
        """Begin to deliver."""
        self._began_at = self._journal.stat().st_size if self._journal.is_file() else 0
        self._thread.start()

    def poke(self) -> None:
        """Say that the journal has grown."""
        self._news.set()

    def owes(self) -> bool:
        """Whether the store lacks events of a run that is over, or does not know that it is."""
        return not self._delivery.cursor.ended or self._backlog() > 0

    def catch_up(self, timeout_s: float, should_stop: Callable[[], bool]) -> bool:
        """Deliver everything that the journal holds so far, as far as that works in time.

        Args:
            timeout_s: the longest that this call takes; with a store in a file that does not fail
                it may be `FILE_PATIENCE_S`.
            should_stop: asked often; once it says so, the call returns at once.

        Returns:
            Whether the store has everything.
        """
        began = time.monotonic()
        size = self._journal.stat().st_size
        self._hurry.set()
        self._news.set()
        while self._delivery.cursor.offset < size:
            late = time.monotonic() - began > self._patience_s(timeout_s)
            if should_stop() or late or not self._thread.is_alive():
                return False
            time.sleep(LOOK_S)
        return True

    def close(
        self,
        status: Status,
        timeout_s: float = 20.0,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> int:
        """Deliver what is left, as far as that works in time, and stop.

        Args:
            status: how this process leaves the run, for a journal that could not be written.
            timeout_s: as for `catch_up`; a run that broke off is not waited for longer.
            should_stop: asked often; once it says so, the call returns at once.

        Returns:
            Number of events that the store lacks; a warning says how to deliver them later.
        """
        self._status = status
        self._closing.set()
        self._hurry.set()
        self._news.set()
        began = time.monotonic()
        while self._thread.is_alive() and not should_stop():
            limit_s = self._patience_s(timeout_s) if status == "done" else timeout_s
            if time.monotonic() - began >= limit_s:
                break
            self._thread.join(LOOK_S)
        late = self._thread.is_alive()
        self._given_up.set()
        backlog = self._backlog()
        if late or self._failures or backlog:
            logger.warning(
                "the tracking store %s lacks records of this run (%d events); deliver them with "
                "`%s`",
                self.uri,
                backlog,
                command("sync", self._run_dir, "--store", self.uri),
            )
        return backlog

    def _patience_s(self, timeout_s: float) -> float:
        """How long to wait for a store: one that fails is given up after `timeout_s`."""
        slow = sqlite_file(self.uri) is not None and (not self._failures or self._busy)
        return max(timeout_s, FILE_PATIENCE_S) if slow else timeout_s

    def _backlog(self) -> int:
        try:
            return self._delivery.backlog()
        except (UsageError, OSError) as error:
            logger.warning("%s", error)
            return 0

    def _work(self) -> None:
        self._wait_for_first_generation()
        while not self._given_up.is_set():
            # First: whoever closes after the look at `closing` wakes us again.
            self._hurry.clear()
            self._news.clear()
            closing = self._closing.is_set()
            self._attempt(closing)
            if closing and not self._busy:
                return
            if self._busy:
                self._given_up.wait(BUSY_RETRY_S)
            elif self._failures:
                self._hurry.wait(retry_pause_s(self._failures))
            else:
                self._hurry.wait(PERIOD_S)
                self._news.wait()

    def _wait_for_first_generation(self) -> None:
        """Let the run import what it needs before MLflow is imported beside it.

        Two threads that import packages at the same time slow each other down and can meet a
        package half imported.
        """
        while not self._hurry.is_set():
            self._news.wait()
            self._news.clear()
            try:
                events, _ = read_journal(self._journal, self._began_at)
            except (UsageError, OSError):
                return  # the first attempt will name it
            if any(isinstance(event, GenerationEvent | EndEvent) for event in events):
                return

    def _attempt(self, closing: bool) -> None:
        began = time.monotonic()
        try:
            self._delivery.deliver(stop=self._given_up.is_set)
            if closing and not self._given_up.is_set():
                self._delivery.deliver_files()
                self._delivery.end(self._status)
        except Exception as error:  # whatever a store does, the run goes on
            self._failures += 1
            self._busy = BUSY in str(error)
            logger.debug("tracking failed after %.1f s", time.monotonic() - began, exc_info=True)
            if not self._warned and not self._busy:
                self._warned = True
                logger.warning(
                    "the tracking store %s fails (%s); the run goes on and its journal keeps "
                    "everything",
                    self.uri,
                    first_line(error),
                )
            return
        if self._failures and not self._busy:
            logger.info("the tracking store %s answers again", self.uri)
        self._failures, self._busy = 0, False


def retry_pause_s(failures: int) -> float:
    """Pause after so many failures in a row: doubled each time, up to the longest.

    >>> [retry_pause_s(failures) for failures in (1, 2, 3, 100_000)]
    [2.0, 4.0, 8.0, 60.0]
    """
    first, longest = RETRY_S
    return min(first * 2.0 ** min(failures - 1, 32), longest)


def resolve_uri(uri: str | None, run_dir: Path) -> str:
    """The store to use: the one given, MLFLOW_TRACKING_URI, the run's last one, or ./mlflow.db.

    The path of an SQLite file is made absolute.

    Raises:
        UsageError: no URI, or one with a secret, which would end up in the run's records.
    """
    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI") or last_uri(run_dir) or DEFAULT_URI
    require_no_secret(chosen)
    file = sqlite_file(chosen)
    return chosen if file is None else f"{SQLITE}{file.absolute()}"


def first_line(error: Exception) -> str:
    """An error in one line; of errors that are not ours at most 200 characters."""
    lines = str(error).strip().splitlines()
    whole = lines[0] if lines else type(error).__name__
    return whole if isinstance(error, UsageError | EnvironmentFault) else whole[:200]
