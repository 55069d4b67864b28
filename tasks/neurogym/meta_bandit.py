"""A bandit to be learnt anew in each lifetime: its arms' probabilities are drawn for each instance.

    env = neurogym.make("evoplastic/MetaBandit-v0", instance_trials=100)

NeuroGym's own Bandit has the same good arm for ever, so a genome can be born knowing it.
"""

from __future__ import annotations

from typing import Any

import neurogym
from neurogym.envs.native.bandit import Bandit

from evoplastic.checks import require

META_BANDIT = "evoplastic/MetaBandit-v0"


class MetaBandit(Bandit):
    """A bandit with new reward probabilities every `instance_trials` trials.

    Args:
        dt: step in ms; a trial lasts one step.
        n: number of arms.
        instance_trials: trials that an instance lasts, at most a lifetime's worth is learnt from.
        low: the least that an arm's probability may be.
        high: the most that it may be; each arm's is drawn between the two.
        opposed: the second of two arms has one minus the first one's probability.
        rewards: what each arm pays when it pays; 1 by default.

    Raises:
        UsageError: a range that holds no probabilities, no trials, opposed arms not two.

    Source: Wang et al. 2018, "Prefrontal cortex as a meta-reinforcement learning system".
    """

    def __init__(
        self,
        dt: int = 20,
        n: int = 2,
        instance_trials: int = 100,
        low: float = 0.0,
        high: float = 1.0,
        opposed: bool = False,
        rewards: list[float] | None = None,
    ) -> None:
        super().__init__(dt=dt, n=n, p=[0.5] * n, rewards=rewards)
        require(
            0.0 <= low <= high <= 1.0, f"low {low} and high {high}, expected 0 <= low <= high <= 1"
        )
        require(instance_trials >= 1, f"instance_trials is {instance_trials}, expected at least 1")
        require(not opposed or n == 2, f"opposed arms are two, came n = {n}")
        self.low, self.high, self.opposed = low, high, opposed
        self.instance_trials, self.trials_left = instance_trials, 0

    def reset(self, seed: Any = None, options: Any = None) -> Any:
        """As NeuroGym does, which takes a step; the next trial begins an instance."""
        shown = super().reset(seed=seed, options=options)
        self.trials_left = 0
        return shown

    def _new_trial(self, **kwargs: Any) -> dict[str, Any]:
        if self.trials_left == 0:
            self._p = self.low + self.rng.random(self.n) * (self.high - self.low)
            if self.opposed:
                self._p[1] = 1.0 - self._p[0]
            self.trials_left = self.instance_trials
        self.trials_left -= 1
        return super()._new_trial(**kwargs)


neurogym.register(id_=META_BANDIT, entry_point="tasks.neurogym.meta_bandit:MetaBandit")
