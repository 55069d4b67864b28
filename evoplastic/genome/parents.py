"""What a genome came from: any number of parents, each named by digest, run and generation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from evoplastic.checks import require

MOST_PARENTS = 4096  # of one genome
LONGEST_RUN_ID = 200
OPERATOR = "operator"  # key of a genome's provenance: how it was made of its parents
RANDOM, WARM_START = "random", "warm start"  # how first genomes are; later ones: a search's name
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Parent(NamedTuple):
    """A genome that another one was made from."""

    digest: str
    run_id: str = ""  # "" of a genome that belongs to no run
    generation: int | None = None  # within that run, where it is known

    def __str__(self) -> str:
        """As people read it.

        >>> str(Parent("a1" * 32, "laptop-7", 40)), str(Parent("a1" * 32))
        ('a1a1a1a1a1a1a1a1 (laptop-7@40)', 'a1a1a1a1a1a1a1a1')
        """
        at = "" if self.generation is None else f"@{self.generation}"
        where = f" ({self.run_id}{at})" if self.run_id else ""
        return f"{self.digest[:16]}{where}"


def described(parents: tuple[Parent, ...]) -> list[dict[str, Any]]:
    """The parents as a file's header has them."""
    return [parent._asdict() for parent in parents]


def read_parents(header: Mapping[str, Any], provenance: Mapping[str, str]) -> tuple[Parent, ...]:
    """The parents that a header names; files of earlier versions name one, in the provenance.

    Raises:
        UsageError: the header says something that no parent can be.
    """
    if "parents" not in header:
        digest = provenance.get("parent")
        return () if digest is None else (_parent(digest, provenance.get("run_id", ""), None),)
    written = header["parents"]
    require(
        isinstance(written, list) and len(written) <= MOST_PARENTS,
        f"parents is {written!r:.100}, expected a list of at most {MOST_PARENTS}",
    )
    for each in written:
        require(
            isinstance(each, dict) and set(each) == set(Parent._fields),
            f"a parent is {each!r:.100}, expected {', '.join(Parent._fields)}",
        )
    return tuple(_parent(**each) for each in written)


def _parent(digest: Any, run_id: Any, generation: Any) -> Parent:
    require(
        isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None,
        f"the digest of a parent is {digest!r:.80}, expected 64 hexadecimal digits",
    )
    require(
        isinstance(run_id, str) and len(run_id) <= LONGEST_RUN_ID,
        f"the run of a parent is {run_id!r:.80}, expected at most {LONGEST_RUN_ID} characters",
    )
    require(
        generation is None or (type(generation) is int and generation >= 0),
        f"the generation of a parent is {generation!r:.80}, expected a count",
    )
    return Parent(digest, run_id, generation)


def as_parent(digest: str, provenance: Mapping[str, str]) -> Parent:
    """A genome of this digest and provenance, as the parent of another one."""
    generation = provenance.get("generation", "")
    known = int(generation) if generation.isdecimal() else None
    return Parent(digest, provenance.get("run_id", "")[:LONGEST_RUN_ID], known)
