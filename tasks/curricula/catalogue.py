"""The table of curricula; a new curriculum is one entry here."""

from __future__ import annotations

from typing import Any, Protocol

from evoplastic.entries import Entry, table
from tasks.curricula.curriculum import (
    AlternateHalves,
    AlternateHalvesConfig,
    Curriculum,
    TrainingTasks,
    Uniform,
    UniformConfig,
)
from tasks.curricula.informed import (
    HardFirst,
    HardFirstConfig,
    LearningProgress,
    LearningProgressConfig,
)


class MakeCurriculum(Protocol):
    """How an entry is made the curriculum of a run."""

    def __call__(self, options: Any, suite: TrainingTasks, *, seed: int) -> Curriculum:
        """A curriculum of these options over a suite's training tasks.

        Raises:
            UsageError: the suite does not suit it.
        """
        ...


CURRICULA: dict[str, Entry[MakeCurriculum]] = table(
    Entry[MakeCurriculum](
        title="every other training task in turn, two generations each",
        source="Miconi 2023 (ICML), published code",
        options=AlternateHalvesConfig,
        build=AlternateHalves,
    ),
    Entry[MakeCurriculum](
        title="every training task is as likely as any other",
        source="the usual sampling of tasks, as in Duan et al. 2016 (RL^2)",
        options=UniformConfig,
        build=Uniform,
    ),
    Entry[MakeCurriculum](
        title="tasks that the center gets better at within a lifetime come more often",
        source="Oudeyer et al. 2007 (IEEE TEC 11:265), learning progress, within a lifetime here",
        options=LearningProgressConfig,
        build=LearningProgress,
    ),
    Entry[MakeCurriculum](
        title="tasks that the center is worst at come more often",
        source="Shrivastava et al. 2016 (CVPR), hard examples first, with tasks for examples",
        options=HardFirstConfig,
        build=HardFirst,
    ),
)
