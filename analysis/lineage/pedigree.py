"""The pedigree of a population: who the champion came from, and whose descendants are kept."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from evoplastic.checks import UsageError, require
from evoplastic.records.names import NOT_RECORDED, PEDIGREE_NAME, PEDIGREE_SCHEMA


class Birth(NamedTuple):
    """What an individual came from."""

    born: int | None  # generation; None where it is not recorded
    operator: str
    parents: tuple[int, ...]
    shares: tuple[float, ...]  # of its numbers


UNKNOWN = Birth(None, NOT_RECORDED, (), ())


@dataclass(frozen=True)
class Pedigree:
    """Who lived in which generation, and of whom: the table as `docs/searches.md` describes it."""

    table: pd.DataFrame

    @cached_property
    def births(self) -> dict[int, Birth]:
        """Of every individual that has a row; parents without one are not recorded."""
        first = self.table.drop_duplicates("individual")
        found = {
            int(individual): Birth(
                None if np.isnan(born) else int(born), operator, tuple(parents), tuple(shares)
            )
            for individual, born, operator, parents, shares in zip(
                first["individual"],
                first["born"].astype(float),
                first["operator"],
                first["parents"].map(lambda parents: [int(each) for each in parents]),
                first["shares"].map(lambda shares: [float(each) for each in shares]),
                strict=True,
            )
        }
        missing = {parent for birth in found.values() for parent in birth.parents} - set(found)
        return {**found, **dict.fromkeys(sorted(missing), UNKNOWN)}

    @cached_property
    def centers(self) -> dict[int, int]:
        """The individual that stands for the search after each generation."""
        rows = self.table[self.table["center"]]
        return dict(zip(rows["generation"].tolist(), rows["individual"].tolist(), strict=True))

    @property
    def champion(self) -> int:
        """The individual that stands for the search after the last generation that has one."""
        return self.centers[max(self.centers)]

    @property
    def founders(self) -> list[int]:
        """Those of whom no parent is known: the first population, where all is recorded."""
        return sorted(who for who, birth in self.births.items() if not birth.parents)


def read_pedigree(directory: Path) -> Pedigree | None:
    """The pedigree in a run directory; None where there is none.

    Raises:
        UsageError: a damaged or forged file, naming it.
    """
    from pyarrow import ArrowException, parquet

    path = directory / PEDIGREE_NAME
    if not path.is_file():
        return None
    try:
        read = parquet.read_table(path)
        told = json.loads((read.schema.metadata or {}).get(b"evoplastic", b"{}"))
        require(told.get("schema") == PEDIGREE_SCHEMA, f"its schema is {told.get('schema')!r}")
        pedigree = Pedigree(read.to_pandas())
        _require_sound(pedigree)
    except (ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_pedigree(path, error) from error
    except UsageError as error:
        raise _no_pedigree(path, error) from error
    return pedigree


def _no_pedigree(path: Path, error: Exception) -> UsageError:
    return UsageError(f"{path} holds no pedigree ({error}); restore it from a copy")


def _require_sound(pedigree: Pedigree) -> None:
    """Refuse what no search makes, circles among it: parents have lower numbers than children."""
    require(len(pedigree.table) > 0, "it has no row")
    require(bool(pedigree.centers), "nobody stands for the search")
    for individual, birth in pedigree.births.items():
        require(
            all(parent < individual for parent in birth.parents),
            f"individual {individual} has parents {list(birth.parents)}, expected lower numbers",
        )
        require(
            len(birth.parents) == len(birth.shares)
            and all(0 < share <= 1 for share in birth.shares)
            and (not birth.shares or abs(sum(birth.shares) - 1) < 1e-6),
            f"individual {individual} has the shares {list(birth.shares)} of its parents",
        )


def ancestry(pedigree: Pedigree, individual: int | None = None) -> pd.DataFrame:
    """Everybody that an individual came from, and itself, the oldest first.

    `passed_on` is the share of its numbers that came through an ancestor, `founder` the one from
    whom an ancestor has most. Both are those that the pedigree lets one expect: shares are
    multiplied from child to parent, and which of its numbers a parent gave does not count.

    Args:
        pedigree: of a run.
        individual: none means the champion.

    Raises:
        UsageError: nobody of this number is in the pedigree.
    """
    births = pedigree.births
    start = pedigree.champion if individual is None else individual
    require(start in births, f"individual {start} is not in the pedigree")
    passed_on, waiting = {start: 1.0}, [-start]
    while waiting:  # children before their parents, whose numbers are lower
        child = -heapq.heappop(waiting)
        for parent, share in zip(births[child].parents, births[child].shares, strict=True):
            if parent not in passed_on:
                passed_on[parent] = 0.0
                heapq.heappush(waiting, -parent)
            passed_on[parent] += share * passed_on[child]
    founders = _Founders(pedigree)
    rows = []
    for who in sorted(passed_on):
        birth, of_founders = births[who], founders.shares_of(who)
        rows.append(
            {
                "individual": who,
                "born": birth.born,
                "operator": birth.operator,
                "parents": list(birth.parents),
                "shares": list(birth.shares),
                "passed_on": passed_on[who],
                "founder": founders.numbers[int(of_founders.argmax())],
                "from_founder": float(of_founders.max()),
            }
        )
    return pd.DataFrame(rows).astype({"born": "Int64"})


def founder_shares(pedigree: Pedigree) -> pd.DataFrame:
    """How much of those who are kept after each generation is from each founder.

    A founder's share is the mean over the kept individuals of the share of their numbers that the
    pedigree lets one expect to be from it. Columns: generation, founder, share; none that is 0.
    """
    founders, rows = _Founders(pedigree), []
    last = _last_needed(pedigree)
    kept = pedigree.table[pedigree.table["kept"]].drop_duplicates(["generation", "individual"])
    kept_at = {int(at): each["individual"].tolist() for at, each in kept.groupby("generation")}
    for generation, lives in pedigree.table.groupby("generation"):
        living = lives["individual"].tolist()
        for individual in living:
            founders.shares_of(individual)
        there = kept_at.get(int(generation), [])
        if there:
            mean = np.mean([founders.shares_of(who) for who in there], axis=0)
            rows += [
                {"generation": int(generation), "founder": founders.numbers[at], "share": mean[at]}
                for at in np.flatnonzero(mean)
            ]
        founders.forget(who for who in living if last[who] <= int(generation))
    return pd.DataFrame(rows, columns=["generation", "founder", "share"])


class _Founders:
    """The share of each founder in individuals, as vectors over the founders."""

    def __init__(self, pedigree: Pedigree) -> None:
        self._births = pedigree.births
        self.numbers = pedigree.founders
        self._place = {who: at for at, who in enumerate(self.numbers)}
        self._known: dict[int, np.ndarray[Any, np.dtype[np.float64]]] = {}

    def shares_of(self, individual: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How much of an individual is from each founder; all that this needs is kept in mind."""
        waiting = [individual]
        while waiting:
            who = waiting[-1]
            birth = self._births[who]
            lacking = [parent for parent in birth.parents if parent not in self._known]
            if who not in self._known and lacking:
                waiting += lacking
                continue
            waiting.pop()
            if who not in self._known:
                vector = np.zeros(len(self.numbers))
                if not birth.parents:
                    vector[self._place[who]] = 1.0
                for parent, share in zip(birth.parents, birth.shares, strict=True):
                    vector += share * self._known[parent]
                self._known[who] = vector
        return self._known[individual]

    def forget(self, individuals: Iterable[int]) -> None:
        """Those that will not be asked for again."""
        for who in individuals:
            self._known.pop(who, None)


def _last_needed(pedigree: Pedigree) -> dict[int, int]:
    """The last generation in which each individual lived or became a parent."""
    last: dict[int, int] = pedigree.table.groupby("individual")["generation"].max().to_dict()
    for birth in pedigree.births.values():
        for parent in birth.parents:
            last[parent] = max(last.get(parent, 0), birth.born or 0)
    return last
