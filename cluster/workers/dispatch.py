"""Who does what: pieces of a generation in flight with each worker, put back in order.

A worker that dies, freezes, errs or answers something else loses its pieces to the others.
At-least-once is enough, because a shard is pure. Workers may join and leave at any time.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from cluster.executors import (
    Reply,
    Result,
    Shard,
    ShardError,
    ShouldStop,
    StopRequested,
    fault_in,
)
from cluster.pieces import Line, Stretch
from cluster.workers.crew import Answered, Crew, Event, Failed, Joined, Left
from cluster.workers.portions import PIECE_S, Pace, share_of_cpu, share_of_gpu
from cluster.workers.roster import Given, Member, Piece, Roster
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationShard
from evoplastic.trials.faults import receive

logger = logging.getLogger(__name__)

POLL_S = 0.2
MAX_ERRORS = 2  # an exception that comes back twice is the shard's own
MAX_LOSSES = 5  # workers that one shard may take with it
FLOAT32_BYTES = 4


@dataclass
class _Job:
    """One call of `map`: what is left to do and what is done."""

    problem: LifetimeProblem
    center_digest: str
    line: Line
    may_be_cut: bool  # elsewhere than between shards
    workers: int  # among whom it is shared
    todo: deque[Piece]
    left: int  # lifetimes in `todo`
    missing: int  # lifetimes without a result
    results: dict[int, Result] = field(default_factory=dict)  # by their start on the line


class Dispatcher:
    """Hands shards to a crew and takes back their results."""

    def __init__(
        self,
        crew: Crew,
        *,
        deadline_s: float = 30.0,
        first_deadline_s: float = 600.0,
        piece_s: float = PIECE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a crew, of which nobody needs to be there yet.

        Args:
            crew: who simulates.
            deadline_s: a worker silent for longer than this, and than four times what its piece
                usually takes, counts as frozen.
            first_deadline_s: the same for a worker's first piece: an engine may be compiling.
            piece_s: shards that a CPU worker does in less are joined.
            clock: seconds that never go back.
        """
        self._crew = crew
        self._deadline_s, self._first_deadline_s = deadline_s, first_deadline_s
        self._piece_s, self._clock = piece_s, clock
        self._paces: defaultdict[bool, Pace] = defaultdict(Pace)  # of individuals, of replicates
        self._roster = Roster()
        self._events: deque[Event] = deque()  # heard and not yet met: an error may come between
        self._tickets = 0
        self._looked = 0.0  # when silent workers were last looked for
        self.retried_shards = 0

    @property
    def workers(self) -> int:
        """Worker processes that the crew means to have."""
        return self._crew.workers

    def map(
        self,
        problem: LifetimeProblem,
        center_G: Tensor,
        shards: Sequence[Shard],
        should_stop: ShouldStop,
    ) -> list[Result]:
        """Results in the order of the shards; see `Executor.map`.

        Raises:
            EnvironmentFault: the crew has nobody, and expects nobody.
        """
        digest = self._crew.begin(problem, center_G)
        line = Line(shards)
        lifetimes = sum(shard.lifetimes for shard in shards)
        job = _Job(
            problem,
            digest,
            line,
            problem.may_be_cut,
            max(len(self._roster) or self._crew.workers, 1),
            deque(Piece(stretch, stretch.start, stretch.stop) for stretch in line.stretches),
            lifetimes,
            lifetimes,
        )
        now = self._clock()
        for worker in self._roster:
            worker.since = now
        try:
            while job.missing:
                if should_stop():
                    raise StopRequested
                self._hand_out(job)
                self._events.extend(self._crew.wait(POLL_S))
                while self._events:
                    self._meet(self._events.popleft(), job)
                self._dismiss_silent(job)
        finally:
            self._roster.forget()
        return line.apart(job.results)

    def close(self) -> None:
        """Let the crew go."""
        self._roster = Roster()
        self._crew.close()

    def _hand_out(self, job: _Job) -> None:
        """Give pieces to the least loaded workers."""
        while job.todo:
            worker = self._roster.least_loaded()
            if worker is None:
                return
            if not worker.in_flight:
                worker.since = self._clock()
            piece = self._next_piece(worker, job)
            given = Given(piece, job.line.shard(piece.start, piece.stop))
            self._tickets += 1
            self._crew.submit(worker.number, self._tickets, given.shard)
            self._roster.gave(worker, self._tickets, given)

    def _next_piece(self, worker: Member, job: _Job) -> Piece:
        """Cut what a worker gets from what is left."""
        piece = job.todo.popleft()
        if not piece.again:
            size = job.line.end_of_shard(piece.start) - piece.start
            if job.may_be_cut:
                size = self._size(worker, piece.stretch, job)
            if piece.start + size < piece.stop:
                job.todo.appendleft(replace(piece, start=piece.start + size))
                piece = replace(piece, stop=piece.start + size)
        job.left -= piece.stop - piece.start
        return piece

    def _size(self, worker: Member, stretch: Stretch, job: _Job) -> int:
        genome_bytes = FLOAT32_BYTES * job.problem.layout.size
        if worker.room_bytes:
            return share_of_gpu(stretch, job.workers, genome_bytes, worker.room_bytes)
        pace = self._paces[stretch.population]
        return share_of_cpu(
            stretch,
            job.left,
            job.workers,
            genome_bytes,
            pace.usual_s,
            slowness=worker.slowness,
            piece_s=self._piece_s,
        )

    def _meet(self, event: Event, job: _Job) -> None:
        if isinstance(event, Joined):
            self._roster.add(Member(event.worker, event.room_bytes, self._clock()))
            return
        worker = self._roster.get(event.worker)
        if worker is None:
            return  # it was dismissed
        if isinstance(event, Left):
            self._lose(worker, job, event.why)
        elif event.ticket in worker.in_flight:
            self._take(worker, event, job)

    def _take(self, worker: Member, event: Answered | Failed, job: _Job) -> None:
        if isinstance(event, Failed):
            given = self._roster.took(worker, event.ticket)
            self._piece_failed(given, job, event.cause, event.text)
            return
        self._hear_pace(worker, worker.in_flight[event.ticket])
        given = self._roster.took(worker, event.ticket)
        reply = event.reply
        fault = _fault_in_reply(reply, job, given.shard)
        if fault is not None:
            text = f"the result is not the shard's: {fault}"
            self._piece_failed(given, job, None, text)
            return
        assert isinstance(reply, Reply)
        job.results[given.piece.start] = reply.result
        job.missing -= given.shard.lifetimes
        receive(reply.faults)

    def _hear_pace(self, worker: Member, given: Given) -> None:
        """Learn how long lifetimes take, and how fast this worker is."""
        now = self._clock()
        seconds = (now - worker.since) / given.shard.lifetimes
        worker.since = now
        if not worker.proven:  # it compiled
            worker.proven = True
            return
        pace = self._paces[isinstance(given.shard, PopulationShard)]
        if pace.usual_s:
            worker.hear(seconds / pace.usual_s)
        pace.hear(seconds)

    def _piece_failed(
        self, given: Given, job: _Job, cause: BaseException | None, text: str
    ) -> None:
        """Try a piece once more; say clearly what it raised when that does not help."""
        if isinstance(cause, (UsageError, EnvironmentFault)):
            raise cause
        errors = given.piece.errors + 1
        if errors >= MAX_ERRORS:
            raise ShardError(
                f"{given.shard} failed {MAX_ERRORS} times in worker processes: {text}"
            ) from cause
        logger.warning("%s is tried again: %s", given.shard, text.strip().splitlines()[-1])
        self._hand_back([replace(given.piece, errors=errors)], job)

    def _dismiss_silent(self, job: _Job) -> None:
        """Dismiss workers that show no sign of life; they may be frozen, or out of reach."""
        now = self._clock()
        if now - self._looked < POLL_S:  # all are looked at, which must not be for every result
            return
        self._looked = now
        for worker in list(self._roster):
            limit_s = self._deadline(worker)
            if now - worker.since > limit_s:
                self._crew.dismiss(worker.number)
                self._lose(worker, job, f"was silent for {limit_s:.0f} s")

    def _deadline(self, worker: Member) -> float:
        """Seconds that a worker may need for the piece it is at."""
        if not worker.in_flight:
            return float("inf")
        if not worker.proven:
            return self._first_deadline_s
        shard = next(iter(worker.in_flight.values())).shard
        usual_s = self._paces[isinstance(shard, PopulationShard)].usual_s or 0.0
        return max(self._deadline_s, 4.0 * usual_s * shard.lifetimes)

    def _lose(self, worker: Member, job: _Job, why: str) -> None:
        """Go on without a worker, whose pieces go to others."""
        logger.warning("a worker %s; its %d pieces go out again", why, len(worker.in_flight))
        self._roster.remove(worker)
        lost: list[Piece] = []
        for given in worker.in_flight.values():
            losses = given.piece.losses + (not lost)  # the first was being simulated
            if losses >= MAX_LOSSES:
                raise ShardError(
                    f"{given.shard} took {MAX_LOSSES} workers with it; is there memory "
                    "enough for it? A smaller pairs_per_shard takes less"
                )
            lost.append(replace(given.piece, losses=losses))
        self._hand_back(lost, job)

    def _hand_back(self, pieces: list[Piece], job: _Job) -> None:
        """Put pieces first that came back undone, cut into the shards that were asked for.

        So a shard that fails again is named as it was asked for, and takes no more memory.
        """
        again = [
            replace(piece, start=start, stop=stop)
            for piece in pieces
            for start, stop in job.line.as_given(piece.start, piece.stop)
        ]
        job.todo.extendleft(reversed(again))
        job.left += sum(piece.stop - piece.start for piece in pieces)
        self.retried_shards += len(pieces)


def _fault_in_reply(reply: object, job: _Job, shard: Shard) -> str | None:
    if not isinstance(reply, Reply):
        return f"it is a {type(reply).__name__}, expected Reply"
    if reply.address != shard.address:
        return f"it answers {reply.address}, expected {shard.address}"
    if reply.center_digest != job.center_digest:
        return f"it was simulated with center {reply.center_digest}, expected {job.center_digest}"
    return fault_in(reply.result, job.problem, shard)
