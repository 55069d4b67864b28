"""What a process writes down of a run: events in the journal, from which the store is fed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from cluster.config.sections import TrackingConfig
from cluster.journal import Journal, now_ms
from cluster.rundir import RunDirectory
from cluster.trial_faults import keep_first
from evoplastic.checks import EnvironmentFault
from evoplastic.records.events import EndEvent, Event, FaultEvent
from evoplastic.records.names import Status
from evoplastic.trials.faults import drain

if TYPE_CHECKING:
    from cluster.tracking.tracker import Tracker

logger = logging.getLogger(__name__)


class Chronicle:
    """The journal of an open run directory, and the way from there to the tracking store.

    Args:
        directory: locked by this process.
        journal: open.
        tracking: whether there is a store, and which.
    """

    def __init__(self, directory: RunDirectory, journal: Journal, tracking: TrackingConfig) -> None:
        self.directory = directory
        self.tracker: Tracker | None = None
        self._journal = journal
        self._tracking = tracking
        self._raised_trials = 0

    @property
    def before(self) -> Sequence[Event]:
        """What earlier processes wrote."""
        return self._journal.events_at_opening

    @property
    def tracking_uri(self) -> str | None:
        """The store that the run is delivered to, if any."""
        if not self._tracking.enabled:
            return None
        from cluster.tracking.tracker import resolve_uri

        return resolve_uri(self._tracking.uri, self.directory.path)

    def new_tracker(self) -> Tracker | None:
        """Whoever delivers this run to its store, not yet at work; None where there is no store."""
        if not self._tracking.enabled:
            return None
        from cluster.tracking.tracker import Tracker

        return Tracker(
            self.directory.path,
            self.directory.journal,
            self._tracking.uri,
            self._tracking.experiment,
        )

    def start_tracking(self) -> None:
        """Deliver from here on what is written down."""
        self.tracker = self.new_tracker()
        if self.tracker is not None:
            self.tracker.start()

    def append(self, event: Event) -> None:
        """Write an event down, and tell whoever delivers it."""
        self._journal.append(event)
        if self.tracker is not None:
            self.tracker.poke()

    def fault(self, generation: int, kind: str, message: str) -> None:
        """Say and write down what went wrong and was survived."""
        logger.warning("generation %d: %s", generation, message)
        self.append(_fault(generation, kind, message))

    def take_trial_faults(self, generation: int) -> None:
        """Count the trials that raised, and keep the first of each task."""
        found = drain()
        self._raised_trials += sum(faults.number for faults in found.values())
        for message in keep_first(self.directory.path, found):
            self.append(_fault(generation, "trial_raised", message))

    def raised_trials(self) -> int:
        """How many trials raised since the last call."""
        number, self._raised_trials = self._raised_trials, 0
        return number

    def leave(self, generation: int, status: Status) -> None:
        """Write down how this process leaves the run."""
        self.directory.set_status(status)
        self.append(EndEvent(time_ms=now_ms(), generation=generation, status=status))

    def break_off(self, generation: int, error: BaseException, status: Status) -> None:
        """Write down that the run broke off and why, as far as that can still be written.

        It is not said here: whoever raised the error is heard by those who called.
        """
        with suppress(EnvironmentFault):
            self.append(_fault(generation, type(error).__name__, str(error)))
            self.append(EndEvent(time_ms=now_ms(), generation=generation, status=status))
            self.directory.set_status(status)


def _fault(generation: int, kind: str, message: str) -> FaultEvent:
    return FaultEvent(time_ms=now_ms(), generation=generation, kind=kind, message=message)
