"""Evaluated centers that a run keeps, a file for each, within a bound on their size.

Which ones are kept is a function of how many there have been, so that a resumed run holds the same
files: as they get more, every second of the older goes, and the last one is always there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.records.names import kept_name
from evoplastic.storage import remove_others

HEADER_BYTES = 4096  # more than the header of a genome file takes


def most_kept(layout: Layout, mib: float) -> int:
    """How many genomes fit into so many MiB."""
    return int(mib * 2**20 // (4 * layout.size + HEADER_BYTES))


def thinned(count: int, most: int) -> list[int]:
    """Which of `count` evaluated centers are kept: every s-th and the last, s a power of two.

    >>> thinned(5, 8), thinned(9, 8), thinned(20, 8)
    ([0, 1, 2, 3, 4], [0, 2, 4, 6, 8], [0, 4, 8, 12, 16, 19])
    """
    if most < 2:
        return [count - 1][: min(most, count)]
    stride = 1
    while len(kept := sorted({*range(0, count, stride), count - 1})) > most:
        stride *= 2
    return kept if count else []


def keep_center(folder: Path, genome: Genome, generation: int, most: int) -> None:
    """Write the center of a generation, unless nothing is to be kept.

    Raises:
        EnvironmentFault: no space or no permission.
    """
    if most > 0:
        genome.save(folder / kept_name(generation))


def thin_out(folder: Path, generations: Sequence[int], most: int) -> None:
    """Remove the centers that are no longer kept.

    Args:
        folder: of genomes.
        generations: those whose centers have been evaluated and recorded, in their order.
        most: how many are kept.

    Raises:
        EnvironmentFault: a file cannot be removed.
    """
    kept = {generations[index] for index in thinned(len(generations), most)}
    pattern = kept_name(0).replace("0" * 8, "[0-9]" * 8)
    remove_others(folder, pattern, {kept_name(generation) for generation in kept})
