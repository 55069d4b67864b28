"""A crew of Ray actors: as many as a request wants on the nodes that there are.

All of them are asked of Ray at once; those for which there is no room yet wait in Ray's queue,
where an autoscaler sees them, and start by themselves when a node comes.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from cluster.executors import Shard, ShouldStop, Simulate, StopRequested
from cluster.workers import ray_cluster
from cluster.workers.address import meant
from cluster.workers.crew import Event, Joined, Left
from cluster.workers.lookout import Lookout
from cluster.workers.ray_actors import Actor, RayActors
from cluster.workers.ray_nodes import has_room
from cluster.workers.ray_worker import array_digest
from cluster.workers.staffing.agreement import Agreement
from cluster.workers.staffing.patience import Patience
from cluster.workers.staffing.request import WorkerRequest
from cluster.workers.staffing.room import described, each_of, require_possible, room, wanted
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.engines.demand import Demand
from evoplastic.lifetime.problem import LifetimeProblem

logger = logging.getLogger(__name__)

POLL_S = 0.2
MAX_FAILED_STARTS = 5
MOST_BACKOFF_S = 30.0
ACCOUNTED_S = 1.0  # after which what an actor holds is no longer said to be free


class RayCrew:
    """Actors as a request says; see `Crew`."""

    def __init__(
        self,
        request: WorkerRequest,
        address: str | None,
        *,
        engine: str,
        start_timeout_s: float,
        simulate: Simulate,
    ) -> None:
        """Connect and start the workers; the arguments are those of `RayExecutor`."""
        most = request.most
        cpus = None if isinstance(most, str) else most * request.cpus_per_worker
        self._ours = ray_cluster.connect(cpus, address)
        import ray

        self._ray, self._engine, self._start_timeout_s = ray, engine, start_timeout_s
        self._actors = RayActors(ray, simulate)
        self._lookout = Lookout()
        try:
            self._each = each_of(request, self._lookout.nodes, engine)
            require_possible(request, self._each, self._lookout.nodes)
            self._request = request if meant(address) else self._within_machine(request)
        except BaseException:
            self.close()
            raise
        self._agreement = Agreement()
        self._patience = Patience(request.patience_s)
        self._left_out: dict[str, str] = {}  # why a node is not asked again, by its id
        self._remarked: set[str] = set()  # nodes of which something was said
        self._remarks: list[tuple[str, str]] = []
        self._heard: deque[Event] = deque()  # while nobody waited
        self._put_problem: tuple[LifetimeProblem, Any] | None = None
        self._refs: tuple[Any, Any] | None = None  # problem and center in Ray's store
        self._failed_starts, self._not_before = 0, 0.0
        self._tend()

    @property
    def workers(self) -> int:
        """How many it means to have; see `Crew.workers`."""
        return len(self._actors.by_number)

    def begin(self, problem: LifetimeProblem, center_G: Tensor) -> str:
        """Put problem and center where workers find them; see `Crew.begin`."""
        if self._put_problem is None or self._put_problem[0] is not problem:
            self._put_problem = (problem, self._ray.put(problem))
        center = center_G.numpy()
        self._refs = (self._put_problem[1], self._ray.put(center))
        return array_digest(center)

    def settle(self, engine: str, demand: Demand, should_stop: ShouldStop) -> str:
        """Have workers agree on an engine, and wait until the fewest that are to be are there.

        Raises:
            UsageError: none of them can run the engine.
            Preempted: nobody comes in time.
            StopRequested: `should_stop` said so.
        """
        if self._agreement.ask(engine, demand):
            self._left_out.clear()  # what was refused may have been another engine
            for actor in self._actors.by_number.values():
                self._actors.ask(actor, self._agreement.question)
        while self._agreement.engine is None or self._actors.up < self._request.least:
            if should_stop():
                raise StopRequested
            self._heard += self._turn(POLL_S, self._request.least)
        return self._agreement.engine

    def gather(self, should_stop: ShouldStop) -> None:
        """Wait until the fewest workers that are to be are there; raises as `settle`."""
        while self._actors.up < self._request.least:
            if should_stop():
                raise StopRequested
            self._heard += self._turn(POLL_S, self._request.least)

    def submit(self, worker: int, ticket: int, shard: Shard) -> None:
        """Call an actor; see `Crew.submit`."""
        assert self._refs is not None
        actor = self._actors.by_number.get(worker)
        if actor is not None:  # else it is still to be heard that it left
            self._actors.submit(actor, ticket, self._refs, shard)

    def wait(self, timeout_s: float) -> Sequence[Event]:
        """See `Crew.wait`.

        Raises:
            EnvironmentFault: worker processes do not start, or none came up in time.
            UsageError: no node can run the engine.
        """
        events = list(self._heard)
        self._heard.clear()
        return events or self._turn(timeout_s, least=1)

    def dismiss(self, worker: int) -> None:
        """End an actor; see `Crew.dismiss`."""
        actor = self._actors.by_number.get(worker)
        if actor is not None:
            self._actors.end(actor)

    def remarks(self) -> list[tuple[str, str]]:
        """What is worth writing down since the last call: kind and message."""
        remarks, self._remarks = self._remarks, []
        return remarks

    def pids(self, timeout_s: float) -> list[int]:
        """Process ids of the workers, once they are up."""
        reports = self._actors.reports(self._agreement.question, timeout_s)
        return [report.pid for report in reports]

    def close(self) -> None:
        """End the workers, and the cluster where it is ours."""
        self._lookout.close()
        self._actors.close()
        if self._ours:
            self._ray.shutdown()

    def _within_machine(self, request: WorkerRequest) -> WorkerRequest:
        """A request that this machine alone can meet, since no other joins it."""
        fits = room(self._lookout.nodes, self._each)
        if request.least > fits:
            raise UsageError(
                f"--workers is {request.words}, and this machine has room for {fits}, each with "
                f"{self._each.words}; ask for fewer, or name a cluster with --address"
            )
        if isinstance(request.most, str) or request.most <= fits:
            return request
        logger.warning(
            "%d workers were asked for, this machine has room for %d, each with %s; running with "
            "%d",
            request.most,
            fits,
            self._each.words,
            fits,
        )
        return replace(request, most=fits)

    def _turn(self, timeout_s: float, least: int) -> list[Event]:
        """Hear what happens first, and look after how many there are."""
        events: list[Event] = []
        for actor, ref in self._actors.ready(timeout_s):
            if not self._actors.waits_for(ref):
                continue
            if ref is actor.starting:
                events += self._hear(actor)
            else:
                events.append(self._actors.take(actor, ref))
        events += self._drop_lost()
        events += self._join()
        self._end_slow_starters()
        self._tend()
        if self._actors.up >= least:
            self._patience.ease()
        else:
            self._patience.strain(self._situation, self._on_the_way)
        return events

    def _tend(self) -> None:
        """Have as many as the request wants on the nodes that there are now."""
        actors, nodes = self._actors, self._lookout.nodes
        nodes = [node for node in nodes if node.node_id not in self._left_out]
        if not any(actor.report or actor.joined for actor in actors.by_number.values()):
            each = each_of(self._request, nodes, self._engine)
            if each != self._each:  # the first GPUs have come
                self._each = each
                actors.close()
        have = len(actors.by_number)
        if self._request.most == "max" and self._lookout.at < actors.changed + ACCOUNTED_S:
            nodes = []  # what is said to be free may be what is ours already
        number = wanted(self._request, self._each, nodes, actors.up, have - actors.up)
        if time.monotonic() >= self._not_before:
            for _ in range(number - have):
                actors.start(self._each, self._agreement.question, self._left_out)
        for actor in list(reversed(actors.starting))[: max(0, have - number)]:
            actors.end(actor)

    def _hear(self, actor: Actor) -> list[Event]:
        """Meet a worker with its first word, or without."""
        word = self._actors.hear(actor)
        left: list[Event] = [Left(actor.number, "does not start")] if actor.joined else []
        if isinstance(word, Exception):
            self._failed_to_start(word)
            return left
        self._failed_starts = 0
        if word.remark and word.node_id not in self._remarked:
            self._remarked.add(word.node_id)
            logger.warning("node %s %s", self._name(word.node_id), word.remark)
        if not (word.unfit or word.refusal):
            return []
        self._actors.end(actor)
        if word.node_id not in self._left_out:
            kind = EnvironmentFault if word.unfit else UsageError
            self._leave_out(word.node_id, word.unfit or word.refusal, kind)
        return left

    def _failed_to_start(self, error: Exception) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return  # of several that failed together, one counts
        self._failed_starts += 1
        if self._failed_starts >= MAX_FAILED_STARTS and not self._actors.up:
            raise EnvironmentFault(f"worker processes do not start: {error}") from error
        self._not_before = now + min(MOST_BACKOFF_S, 0.5 * 2.0**self._failed_starts)
        logger.warning("a worker did not start; another one is started")

    def _leave_out(self, node_id: str, why: str, kind: type[Exception]) -> None:
        """Ask a node for no worker any more, and those that might start there once more elsewhere.

        Raises:
            EnvironmentFault: nobody is there, and no node that can work would have room.
            UsageError: likewise, and what is asked for is the reason.
        """
        self._left_out[node_id] = why
        left = [node for node in self._lookout.nodes if node.node_id not in self._left_out]
        if not self._actors.up and not room(left, self._each):
            reasons: dict[str, list[str]] = {}
            for each, reason in self._left_out.items():
                reasons.setdefault(reason, []).append(self._name(each))
            said = (f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
            raise kind(f"no node of the cluster can do the work; {'; '.join(said)}")
        logger.warning("node %s is left out: %s", self._name(node_id), why)
        for actor in self._actors.starting:
            if not actor.joined:
                self._actors.end(actor)

    def _name(self, node_id: str) -> str:
        return next((each.name for each in self._lookout.nodes if each.node_id == node_id), node_id)

    def _join(self) -> list[Event]:
        """Let those join who have said their first word, once the engine is settled."""
        agreement, actors = self._agreement, self._actors
        said = [actor for actor in actors.by_number.values() if actor.report is not None]
        answers = [actor.report.engine for actor in said if actor.report]
        coming = bool(actors.starting)
        if agreement.question and not agreement.settle(answers, self._each.gpus > 0, coming):
            return []
        events: list[Event] = []
        for actor in said:
            assert actor.report is not None
            if agreement.engine is not None and actor.report.engine != agreement.engine:
                actors.ask(actor, agreement.question)
            elif not actor.joined:
                actors.join(actor)
                events.append(Joined(actor.number, actor.report.room_bytes))
                remark = agreement.remark_on(actor.report)
                if remark is not None:
                    self._remarks.append(("mixed_hardware", remark))
        return events

    def _drop_lost(self) -> list[Event]:
        """Give up those whose node is gone, before anybody waits for them."""
        gone = self._lookout.gone()
        lost = [
            actor
            for actor in self._actors.by_number.values()
            if gone and actor.report and actor.report.node_id in gone
        ]
        for actor in lost:
            self._actors.end(actor)
        return [Left(actor.number, "is on a node that is gone") for actor in lost if actor.joined]

    def _end_slow_starters(self) -> None:
        """End those that found room and do not come up; who has none yet goes on waiting."""
        now = time.monotonic()
        for actor in self._actors.starting:
            if now - actor.since <= self._start_timeout_s:
                continue
            if has_room(actor.handle):
                logger.warning("a worker did not start in %.0f s", self._start_timeout_s)
                self._actors.end(actor)
            else:
                actor.since = now

    def _on_the_way(self) -> bool:
        return any(has_room(actor.handle) for actor in self._actors.starting)

    def _situation(self) -> str:
        return (
            f"asked for {self._request.words}, each with {self._each.words}; there: "
            f"{self._actors.up} of them, {described(self._lookout.nodes)}"
        )
