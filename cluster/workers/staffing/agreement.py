"""On what workers agree: one engine for the whole run, as they answer what they would run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from cluster.workers.node_report import NodeReport, Question
from evoplastic.engines.demand import Demand

ORDER = ("gpu", "cpu", "reference")  # the fastest first
GRACE_S = 5.0  # in which a faster answer than the first may still come


class Agreement:
    """The engine of a run, settled once by the workers that are there.

    An engine that is named is asked for by its name. "auto" is settled by the fastest that a worker
    answers: workers are alike but for a GPU that fails its check. From then on it is named.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.question: Question | None = None  # that workers are to be asked
        self.engine: str | None = None  # once it is settled
        self._clock = clock
        self._asked: Question | None = None  # before it was settled
        self._answered_at: float | None = None  # when the first answer came
        self._models: set[str] = set()

    def ask(self, engine: str, demand: Demand) -> bool:
        """Have workers asked something from now on; whether that is new."""
        question = Question(engine, demand)
        if question == self._asked:
            return False
        self.question = self._asked = question
        self.engine = None if engine == "auto" else engine
        self._answered_at = None
        return True

    def settle(self, answers: Sequence[str], gpus: bool, coming: bool) -> bool:
        """Settle the engine if that can be; whether it is.

        Args:
            answers: engines, of those who have answered.
            gpus: whether workers have GPUs, so that one may still answer "gpu".
            coming: whether anybody has not answered yet.
        """
        if self.engine is None and self.question is not None and answers:
            now = self._clock()
            self._answered_at = self._answered_at or now
            best = min(answers, key=ORDER.index)
            fastest = "gpu" if gpus else "cpu"
            if best == fastest or not coming or now - self._answered_at >= GRACE_S:
                self.engine, self.question = best, self.question._replace(engine=best)
        return self.engine is not None

    def remark_on(self, report: NodeReport) -> str | None:
        """What to say of a worker that joins: that models differ, whenever a new one comes."""
        known, model = self._models.copy(), report.simulates_on
        self._models.add(model)
        if not known or model in known:
            return None
        return (
            f"workers simulate on different models ({', '.join(sorted(self._models))}): results "
            "hold as ever, but the same command may give another center in its last bits; to have "
            "it byte for byte, use nodes of one model"
        )
