"""Random numbers of one thing that is drawn, one after the other: a function of its address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from evoplastic.random.counters import Purpose, bounded, words

ROW = 256  # words at a time

Each = TypeVar("Each")


class Dice:
    """All that is drawn for one number under a seed, a purpose and an epoch."""

    def __init__(self, seed: int, number: int, purpose: Purpose, epoch: int = 0) -> None:
        self._seed, self._number, self._purpose, self._epoch = seed, number, purpose, epoch
        self._row = 0
        self._left: list[int] = []

    def word(self) -> int:
        """32 bits."""
        if not self._left:
            found = words(self._seed, self._purpose, self._epoch, self._number, self._row, ROW)
            self._left = found[::-1].tolist()
            self._row += 1
        return self._left.pop()

    def below(self, size: int) -> int:
        """A whole number from 0 on, below `size`."""
        return int(bounded(self.word(), size))

    def happens(self, probability: float) -> bool:
        """True with a probability."""
        return self.word() < probability * 2**32

    def one_of(self, choices: Sequence[Each]) -> Each:
        """Any of them."""
        return choices[self.below(len(choices))]

    def some_of(self, choices: Sequence[int], count: int) -> list[int]:
        """Different ones."""
        left = list(choices)
        return [left.pop(self.below(len(left))) for _ in range(count)]
