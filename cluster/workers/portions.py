"""How many lifetimes a worker gets at a time; no result depends on it.

A GPU gets its share of the generation at once, since only many lifetimes fill it. Other workers get
pieces that take so long that handing them out does not count, large ones first and smaller ones
towards the end (Polychronopoulos & Kuck 1987, guided self-scheduling): what is left is shared by
twice the workers there are, and a slow worker gets less of it.
"""

from __future__ import annotations

import statistics
from collections import deque

from cluster.pieces import Stretch

PIECE_S = 0.1  # hand-out, genomes and answer of a piece cost some milliseconds
REMEMBERED = 100  # pieces
PIECE_BYTES = 64 << 20  # genomes of a piece that was not asked for as one shard
SLOWEST = 10.0  # times the usual; a slower worker is dealt with by its deadline


class Pace:
    """Seconds that a lifetime of some kind usually takes, from pieces that came back."""

    def __init__(self) -> None:
        self._heard: deque[float] = deque(maxlen=REMEMBERED)
        self._usual_s: float | None = None

    def hear(self, seconds: float) -> None:
        """Note seconds per lifetime of one more piece."""
        self._heard.append(seconds)
        self._usual_s = None

    @property
    def usual_s(self) -> float | None:
        """Median seconds of a lifetime; None before anything came back."""
        if self._usual_s is None and self._heard:
            self._usual_s = statistics.median(self._heard)
        return self._usual_s


def share_of_gpu(stretch: Stretch, workers: int, genome_bytes: int, room_bytes: int) -> int:
    """Lifetimes of one launch: an equal share for each worker, in several if memory is short."""
    share = _divided(stretch.stop - stretch.start, workers)
    most = max(room_bytes // genome_bytes // stretch.whole, 1) * stretch.whole
    launches = _divided(share, most)
    return min(_in_wholes(_divided(share, launches), stretch), most)


def share_of_cpu(
    stretch: Stretch,
    left: int,
    workers: int,
    genome_bytes: int,
    usual_s: float | None,
    *,
    slowness: float = 1.0,
    piece_s: float = PIECE_S,
) -> int:
    """Lifetimes of a piece for a worker without GPU.

    Args:
        stretch: what is cut.
        left: lifetimes that nobody has in hand.
        workers: among whom they are shared.
        genome_bytes: of one individual.
        usual_s: of a lifetime of this kind; None where it is not known yet.
        slowness: how many times longer than usual this worker takes.
        piece_s: a piece that takes less is joined with its neighbours.
    """
    slowness = min(max(slowness, 1.0), SLOWEST)
    least = stretch.whole
    if usual_s is not None:
        worth = int(min(piece_s / max(usual_s * slowness, 1e-9), stretch.stop - stretch.start))
        room = max(stretch.most, PIECE_BYTES // genome_bytes)
        least = max(least, min(worth, room, _divided(stretch.stop - stretch.start, workers)))
    most = max(stretch.most, least)
    share = round(left / (2 * workers * slowness))
    return _in_wholes(min(max(share, least), most), stretch)


def _divided(number: int, by: int) -> int:
    return -(-number // max(by, 1))


def _in_wholes(number: int, stretch: Stretch) -> int:
    return _divided(number, stretch.whole) * stretch.whole
