"""Ray actors one by one: started, asked for their first word, given shards, ended."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from cluster.executors import Shard, Simulate
from cluster.workers.crew import Answered, Event, Failed, Left
from cluster.workers.node_facts import by_value, facts, first_word
from cluster.workers.node_report import NodeReport, Question, heard
from cluster.workers.ray_worker import portable_worker
from cluster.workers.staffing.room import Each

FETCH_TIMEOUT_S = 30.0  # for a result that is ready, from whatever node it lies on


@dataclass(eq=False)
class Actor:
    """One worker process, or the wish for one that still waits for room."""

    number: int
    handle: Any
    since: float  # when it was asked for its word
    starting: Any = None  # reference of its word; None when that has come
    report: NodeReport | None = None
    joined: bool = False  # takes shards
    tickets: dict[Any, int] = field(default_factory=dict)  # reference -> ticket


class RayActors:
    """All actors of a crew, by number."""

    def __init__(self, ray: Any, simulate: Simulate) -> None:
        self._ray, self._simulate = ray, simulate
        self._driver, self._first_word = facts(), by_value(first_word)
        self._class = ray.remote(max_restarts=0)(portable_worker())
        self._owner: dict[Any, Actor] = {}  # of each reference that is waited for
        self._started = 0
        self.by_number: dict[int, Actor] = {}
        self.changed = float("-inf")  # when one was started, ended or joined last

    @property
    def starting(self) -> list[Actor]:
        """Those whose word has not come."""
        return [actor for actor in self.by_number.values() if actor.starting is not None]

    @property
    def up(self) -> int:
        """How many take shards, and have answered what they were asked last."""
        return sum(actor.joined and not actor.starting for actor in self.by_number.values())

    def start(self, each: Each, question: Question | None, without: Collection[str]) -> None:
        """Ask Ray for one more, spread over nodes but those whose ids are given."""
        options: dict[str, Any] = {
            "num_cpus": each.cpus,
            "num_gpus": each.gpus,
            "scheduling_strategy": "SPREAD",
        }
        if without:
            options["label_selector"] = {"ray.io/node-id": f"!in({','.join(without)})"}
        handle = self._class.options(**options).remote(self._first_word, each.cpus, each.gpus)
        actor = self.by_number[self._started] = Actor(self._started, handle, time.monotonic())
        self._started += 1
        self.changed = time.monotonic()
        self.ask(actor, question)

    def ask(self, actor: Actor, question: Question | None) -> None:
        """Ask for the first word, or for another one after another question."""
        self._owner.pop(actor.starting, None)
        actor.report, actor.since = None, time.monotonic()
        actor.starting = self._ask(actor, question)
        self._owner[actor.starting] = actor

    def submit(self, actor: Actor, ticket: int, refs: tuple[Any, Any], shard: Shard) -> None:
        """Give a shard; problem and center are in Ray's store."""
        ref = actor.handle.simulate.remote(*refs, shard)
        actor.tickets[ref] = ticket
        self._owner[ref] = actor

    def ready(self, timeout_s: float) -> list[tuple[Actor, Any]]:
        """References that have something to say, or the first that does, and whose they are."""
        if not self._owner:
            time.sleep(timeout_s)
            return []
        done, waiting = self._ray.wait(list(self._owner), num_returns=1, timeout=timeout_s)
        if done and waiting:  # whatever else is ready comes along
            more, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
            done = [*done, *more]
        return [(self._owner[ref], ref) for ref in done]

    def waits_for(self, ref: Any) -> bool:
        """Whether a reference still matters: its actor may have ended with another one."""
        return ref in self._owner

    def hear(self, actor: Actor) -> NodeReport | Exception:
        """The word of an actor that is ready with it, or why none comes; then it has ended."""
        try:
            report = heard(self._ray.get(actor.starting))
        except self._ray.exceptions.RayError as error:
            failure: Exception = error
            self.end(actor)
            return failure
        del self._owner[actor.starting]
        actor.starting, actor.report = None, report
        return report

    def take(self, actor: Actor, ref: Any) -> Event:
        """What became of a shard; an actor that died has ended."""
        ticket = actor.tickets[ref]
        event: Event
        try:
            event = Answered(actor.number, ticket, self._ray.get(ref, timeout=FETCH_TIMEOUT_S))
        except self._ray.exceptions.RayTaskError as error:
            event = Failed(actor.number, ticket, error.cause, str(error))
        except self._ray.exceptions.RayError as error:
            self.end(actor)
            return Left(actor.number, type(error).__name__)
        del actor.tickets[ref], self._owner[ref]
        return event

    def join(self, actor: Actor) -> None:
        """From now on it takes shards."""
        actor.joined, self.changed = True, time.monotonic()

    def end(self, actor: Actor) -> None:
        """Kill it, or give up the wish for it; nothing of it is heard any more."""
        self._ray.kill(actor.handle)
        del self.by_number[actor.number]
        for ref in (actor.starting, *actor.tickets):
            self._owner.pop(ref, None)
        self.changed = time.monotonic()

    def reports(self, question: Question | None, timeout_s: float) -> list[NodeReport]:
        """A word of all of them, once they are up."""
        refs = [self._ask(actor, question) for actor in self.by_number.values()]
        return [heard(answer) for answer in self._ray.get(refs, timeout=timeout_s)]

    def _ask(self, actor: Actor, question: Question | None) -> Any:
        """A reference to its word; what our package has to be there for is pickled apart."""
        work = self._ray.cloudpickle.dumps((question, self._simulate))
        return actor.handle.report.remote(self._driver, work)

    def close(self) -> None:
        """End all."""
        for actor in list(self.by_number.values()):
            self.end(actor)
