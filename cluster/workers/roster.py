"""Who is there, what each has in hand, and who gets the next piece."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from cluster.pieces import Shard, Stretch

IN_FLIGHT = 2  # a worker never waits for the driver, and never holds much
SLOW = 2.0  # times the usual seconds
SMOOTHING = 0.3  # weight of the newest piece in a worker's slowness


@dataclass(frozen=True)
class Piece:
    """Lifetimes of a stretch that nobody has done."""

    stretch: Stretch
    start: int
    stop: int
    errors: int = 0
    losses: int = 0

    @property
    def again(self) -> bool:
        """Whether it came back undone; then it is handed out as it is."""
        return self.errors + self.losses > 0


@dataclass
class Given:
    """What a worker has in hand under one ticket."""

    piece: Piece
    shard: Shard


@dataclass(eq=False)
class Member:
    """A worker that has joined."""

    number: int
    room_bytes: int  # for genomes, of a GPU; 0 of other workers
    since: float  # when it last showed progress
    in_flight: dict[int, Given] = field(default_factory=dict)  # by ticket, the first is at work
    proven: bool = False  # has delivered before, so its engine is compiled
    slowness: float = 1.0  # times the usual seconds, a moving average

    @property
    def has_room(self) -> bool:
        """Whether it takes one more piece; a slow worker would let others wait for its second."""
        return len(self.in_flight) < (IN_FLIGHT if self.slowness < SLOW else 1)

    def hear(self, slowness: float) -> None:
        """Note how many times the usual seconds its newest piece took."""
        self.slowness += SMOOTHING * (slowness - self.slowness)


class Roster:
    """All members; whatever is asked or told takes the same time however many there are."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._members: dict[int, Member] = {}
        # Those with room, by how many pieces they have in hand; first who has waited longest.
        self._by_load: list[OrderedDict[int, Member]] = [OrderedDict() for _ in range(IN_FLIGHT)]

    def __len__(self) -> int:
        """How many are there."""
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        """All of them."""
        return iter(self._members.values())

    def get(self, number: int) -> Member | None:
        """One by its number, if it is there."""
        return self._members.get(number)

    def add(self, member: Member) -> None:
        """Welcome one."""
        self._members[member.number] = member
        self._put(member)

    def remove(self, member: Member) -> None:
        """Strike one off."""
        del self._members[member.number]
        self._set_aside(member)

    def least_loaded(self) -> Member | None:
        """Who gets the next piece; None if all have enough in hand."""
        free = next((members for members in self._by_load if members), None)
        return None if free is None else next(iter(free.values()))

    def gave(self, member: Member, ticket: int, given: Given) -> None:
        """Note that a member has one more piece in hand."""
        self._set_aside(member)
        member.in_flight[ticket] = given
        self._put(member)

    def took(self, member: Member, ticket: int) -> Given:
        """Note that a member is done with a piece, or failed at it."""
        self._set_aside(member)
        given = member.in_flight.pop(ticket)
        self._put(member)
        return given

    def forget(self) -> None:
        """Forget what is in flight when a job breaks off; late results find nobody waiting."""
        for member in self:
            if member.in_flight:
                self._set_aside(member)
                member.in_flight.clear()
                self._put(member)

    def _set_aside(self, member: Member) -> None:
        for members in self._by_load:
            members.pop(member.number, None)

    def _put(self, member: Member) -> None:
        if member.has_room:
            self._by_load[len(member.in_flight)][member.number] = member
