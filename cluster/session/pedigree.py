"""The pedigree of a run whose search keeps individuals: who lived when, and came from whom.

A line of JSON for each generation is on disk before the generation counts as done; a table of all
lines, in Parquet, is written with measurements and at the end. A resumed run takes back what
its checkpoint does not have behind it and writes it anew, so that both are those of a run that was
never stopped. Where the lines would take more than there is to be room for, individuals go that
left nothing: those that were not kept, of the oldest generations first; then whole generations, the
oldest first. The newest two always stay.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from cluster.session.pedigree_table import table_of
from evoplastic.checks import EnvironmentFault, require
from evoplastic.inside import open_plain
from evoplastic.records.names import PEDIGREE_LOG_NAME, PEDIGREE_NAME
from evoplastic.search.individuals import Individuals
from evoplastic.storage import write_atomically

logger = logging.getLogger(__name__)

NEVER_DROPPED = 2  # newest generations
GROWN = 1.25  # lines for one in the table, at which it is made anew
LEFT = 0.75  # share of the room that is taken after something was dropped
COLUMNS = ("individual", "operator", "parents", "given", "loss", "kept")  # of a line, one of each


class Pedigree:
    """The pedigree in a run directory that this process has locked."""

    def __init__(self, run_dir: Path, run_id: str, mib: float, generation: int) -> None:
        """Take back what lies there of this generation and later ones.

        Args:
            run_dir: the run directory.
            run_id: of the run, for the table.
            mib: room for the lines; 0 keeps none.
            generation: the next one to be simulated.

        Raises:
            UsageError: a damaged file, or one that lacks generations.
            EnvironmentFault: it cannot be written.
        """
        self._log, self._table = run_dir / PEDIGREE_LOG_NAME, run_dir / PEDIGREE_NAME
        self._run_id, self._most, self._in_table = run_id, int(mib * 2**20), 0
        self._bytes = self._take_back(generation) if self._log.exists() else 0

    def append(self, individuals: Individuals) -> None:
        """Put a generation on disk, and drop what there is no more room for.

        Raises:
            EnvironmentFault: no space or no permission; what was there before still is.
        """
        if not self._most:
            return
        if not self._bytes and individuals.generation:
            logger.warning("the pedigree begins at generation %d", individuals.generation)
        line = line_of(individuals)
        try:
            descriptor = open_plain(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                _write(descriptor, line, self._bytes)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise EnvironmentFault(
                f"cannot write {self._log}: {error.strerror or error}; make room or check the "
                "permissions, then resume the run"
            ) from error
        self._bytes += len(line)
        if self._bytes > self._most:
            lines = thinned(self._log.read_bytes().splitlines(keepends=True), self._most)
            write_atomically(self._log, b"".join(lines))
            self._bytes = sum(map(len, lines))

    def write_table(self, *, whole: bool = True) -> None:
        """Make the table that of the lines.

        Args:
            whole: whether it is to have all of them; else it is left as it is unless there are a
                good many more, so that a long run is not held up by writing it again and again.

        Raises:
            EnvironmentFault: no space or no permission; the one before is untouched.
        """
        if self._bytes and (whole or self._bytes > GROWN * self._in_table):
            self._in_table = self._bytes
            with self._log.open("rb") as lines:
                content = table_of(map(json.loads, lines), self._run_id)
            write_atomically(self._table, content)

    def _take_back(self, generation: int) -> int:
        """Cut off what is not behind a generation, a torn line among it; bytes that are left."""
        lines = self._log.read_bytes().splitlines(keepends=True)
        kept: list[bytes] = []
        last = generation
        for number, line in enumerate(lines, start=1):
            if number == len(lines) and not line.endswith(b"\n"):
                break  # torn by a crash
            where = f"{self._log}, line {number}"
            at = _generation_of(line)
            require(at is not None, f"{where} holds no generation; {_restore(self._log)}")
            expected = last + 1 if kept else at
            require(
                at == expected,
                f"{where} is of generation {at}, expected {expected}; {_restore(self._log)}",
            )
            if at is None or at >= generation:
                break
            kept.append(line)
            last = at
        require(
            not kept or last == generation - 1,
            f"{self._log} ends with generation {last}, and {generation} are behind the checkpoint; "
            f"{_restore(self._log)}",
        )
        length = sum(map(len, kept))
        if length < sum(map(len, lines)):
            try:
                os.truncate(self._log, length)
            except OSError as error:
                raise EnvironmentFault(f"cannot write {self._log}: {error.strerror}") from error
        return length


def line_of(individuals: Individuals) -> bytes:
    """A generation as a line of JSON.

    Of one that lived before, operator and parents are in the line of the generation that made it.
    """
    births = individuals.births
    losses = [None if loss != loss else loss for loss in individuals.loss_P.tolist()]
    values = {
        "generation": individuals.generation,
        "numbers": individuals.numbers,
        "center": individuals.center,
        "individual": births.individual_P.tolist(),
        "operator": births.operator_P,
        "parents": births.parents_P,
        "given": births.given_P,
        "loss": losses,
        "kept": individuals.kept_P.astype(int).tolist(),
    }
    return json.dumps(values, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def thinned(lines: list[bytes], most: int) -> list[bytes]:
    """The lines without what is to go first, until a good part of the room is free again."""
    kept, size = list(lines), sum(map(len, lines))
    for at in range(len(kept) - NEVER_DROPPED):
        if size <= LEFT * most:
            return kept
        shorter = _of_the_kept(kept[at])
        size -= len(kept[at]) - len(shorter)
        kept[at] = shorter
    while size > LEFT * most and len(kept) > NEVER_DROPPED:
        size -= len(kept.pop(0))
    return kept


def _of_the_kept(line: bytes) -> bytes:
    """A line with those who were kept, and the parents of these."""
    values: dict[str, Any] = json.loads(line)
    rows = range(len(values["kept"]))
    needed = {parent for at in rows if values["kept"][at] for parent in values["parents"][at]}
    stay = [at for at in rows if values["kept"][at] or values["individual"][at] in needed]
    for name in COLUMNS:
        values[name] = [values[name][at] for at in stay]
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def _generation_of(line: bytes) -> int | None:
    """Which generation a line is of; None for anything else."""
    try:
        values = json.loads(line)
        lengths = {len(values[name]) for name in COLUMNS}
        whole = type(values["generation"]) is int and len(lengths) == 1
        return int(values["generation"]) if whole else None
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _restore(log: Path) -> str:
    return (
        f"restore {log.name} from a copy, or remove it: the pedigree then begins where the run "
        "goes on"
    )


def _write(descriptor: int, content: bytes, length: int) -> None:
    """Append and see to it that it is on disk; where that fails, nothing is appended."""
    try:
        left = content
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, length)
        raise
