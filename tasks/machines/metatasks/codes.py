"""What stimuli show on the channels."""

from __future__ import annotations

import numpy as np

from evoplastic.random.counters import Purpose, philox, purpose_word, seed_key

Code = tuple[tuple[float, ...], ...]  # [y][i]


def one_hot(count: int) -> Code:
    """A channel for each stimulus; a single silent one where there are no stimuli."""
    return tuple(tuple(float(i == y) for i in range(count)) for y in range(count)) or ((0.0,),)


def random_bits(bits: int, count: int, seed: int = 0) -> Code:
    """Stimuli of random bits, each a function of the seed and its number.

    >>> random_bits(8, 2) == random_bits(8, 3)[:2]
    True
    """
    y, i = np.arange(count, dtype=np.int64)[:, None], np.arange(bits, dtype=np.int64)[None]
    counter = (i, y, np.int64(0), purpose_word(Purpose.BANK, 1))
    word_YI = np.broadcast_to(philox(counter, seed_key(seed))[0], (count, bits))
    return tuple(tuple(float(word & 1) for word in row) for row in word_YI.tolist())
