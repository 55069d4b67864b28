"""Controls of streams: lifetimes in another order, without gating, or without more learning.

`iid_order`           the trials of all parts shuffled, so that nothing is left behind: the oracle
`frozen_after_first`  plasticity stops when the first part is over: what more learning does
`gating_off`          the gain of activity is 1 throughout: the field of the genome is set to 0
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from evoplastic.checks import require

if TYPE_CHECKING:
    from torch import Tensor

    from evoplastic.api.setting import Setting
    from evoplastic.engines import RunLifetimes
    from evoplastic.engines.standing_in import Lifetimes
    from evoplastic.lifetime.batch import LifetimeResult
    from evoplastic.lifetime.problem import LifetimeProblem
    from evoplastic.trials.course import Course

STREAM_CONTROLS = ("iid_order", "frozen_after_first", "gating_off")
GAIN = "modulation.gain"


class Controlled(NamedTuple):
    """What the lifetimes of a control are run with."""

    problem: LifetimeProblem
    center_G: Tensor
    run: RunLifetimes | None = None  # in place of the engines


def controlled(setting: Setting, condition: str, task: int) -> Controlled:
    """The setting under a condition, for one of its tasks.

    Raises:
        UsageError: a control of streams where the task is none, or of gating where nothing gates.
    """
    problem, center_G = setting.problem, setting.genome.center_G
    if condition not in STREAM_CONTROLS:
        return Controlled(problem, center_G)
    if condition == "gating_off":
        field = setting.genome.layout.slices.get(GAIN)
        require(
            field is not None,
            "control gating_off needs a genome with gating of activity, and this one has the "
            f"fields {', '.join(setting.genome.layout.slices)}; evolve one with modulation=gain",
        )
        ungated_G = center_G.clone()
        ungated_G[field] = 0.0
        return Controlled(problem, ungated_G)
    from evoplastic.trials.world import tables_of

    course = _course(setting, condition, task)
    if condition == "frozen_after_first":
        return Controlled(problem, center_G, _frozen(_end_of_first_part(course)))
    table = tables_of(problem.held_out)[task]
    table = replace(table, course=course.shuffled(problem.seed))
    tasks = (*problem.held_out[:task], table, *problem.held_out[task + 1 :])
    return Controlled(replace(problem, held_out=tasks), center_G)


def _course(setting: Setting, condition: str, task: int) -> Course:
    from evoplastic.lifetime.streams.scoring import courses_of

    course = courses_of(setting.problem.held_out)[task]
    require(
        course is not None,
        f"control {condition} is of streams, but task {setting.tasks[task].name!r} is none; "
        "measure streams alone, or leave the control out",
    )
    assert course is not None
    return course


def _end_of_first_part(course: Course) -> int:
    """The first trial that is taught in the second part."""
    taught = ~course.probe_K
    later = taught & (course.part_K > course.part_K[taught].min())
    return int(later.argmax()) if later.any() else course.num_trials


def _frozen(trial: int) -> RunLifetimes:
    """The engines, with plasticity that stops at a trial."""
    from evoplastic.engines.intervened import intervene_lifetimes
    from evoplastic.engines.standing_in import standing_in
    from evoplastic.lifetime.intervention import Intervention

    def live(lifetimes: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        stopped = Intervention(frozen_from=trial)
        chosen = "cpu" if engine == "gpu" else engine  # a GPU does not intervene
        return intervene_lifetimes(*lifetimes, stopped, engine=chosen, threads=threads)[0]

    return standing_in(live)
