"""A world whose answers are kept, so that a trial can be lived a second time, to the same end."""

from __future__ import annotations

from evoplastic.trials.world import Observed, Stepped, World
from evoplastic.types import BoolArray, Int64Array


class Tape:
    """A world that answers from memory what it was asked before; final."""

    def __init__(self, world: World) -> None:
        """Take the world that answers what is new."""
        self._world = world
        self._kept: list[Observed | Stepped] = []
        self.place = 0  # of the next answer; set it back to live again from there
        self.num_actions_P: Int64Array = world.num_actions_P
        self.max_trial_steps = world.max_trial_steps
        self.failed_P: BoolArray = world.failed_P

    def observe(self) -> Observed:
        """What everyone meets now."""
        if self.place == len(self._kept):
            self._kept.append(self._world.observe())
        seen = self._next()
        assert isinstance(seen, Observed), "a trial that is lived again asks for something else"
        return seen

    def step(self, choice_P: Int64Array, moving_P: BoolArray) -> Stepped:
        """What followed from an action; the second time, whatever the action."""
        if self.place == len(self._kept):
            self._kept.append(self._world.step(choice_P, moving_P))
            self.failed_P = self._world.failed_P
        stepped = self._next()
        assert isinstance(stepped, Stepped), "a trial that is lived again does something else"
        return stepped

    def _next(self) -> Observed | Stepped:
        self.place += 1
        return self._kept[self.place - 1]
