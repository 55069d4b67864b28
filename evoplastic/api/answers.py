"""What each trial of a lifetime asked, and what was answered: recorded beside an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from evoplastic.api.running import stimuli_of
from evoplastic.api.setting import Setting

if TYPE_CHECKING:
    from evoplastic.engines import RunLifetimes
    from evoplastic.engines.standing_in import Lifetimes
    from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
    from evoplastic.lifetime.config import LifetimeConfig
    from evoplastic.network.neurons import NeuronGroups
    from evoplastic.types import Int64Array


class Answers(NamedTuple):
    """K trials of L lifetimes."""

    kind_LK: Int64Array
    target_LK: Int64Array  # the last action asked for, -1 = none
    choice_LK: Int64Array  # the last action taken, -1 = none


def answering(kept: list[Answers]) -> RunLifetimes:
    """Engines that add what was answered to a list; no bit of the lifetimes changes."""
    from evoplastic.engines import run_lifetimes
    from evoplastic.engines.standing_in import standing_in

    def live(lifetimes: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        if _known_from_correctness(lifetimes.batch):
            result = run_lifetimes(*lifetimes, engine=engine, threads=threads)
            kept.append(_answers_of(lifetimes.batch, result))
        else:
            result, answers = _recorded(*lifetimes, engine, threads)
            kept.append(answers)
        return result

    return standing_in(live)


def _known_from_correctness(batch: LifetimeBatch) -> bool:
    """Whether trials have fixed timing and two actions: a wrong answer is the other one."""
    fixed = batch.in_tables and not batch.self_paced
    return fixed and batch.tables.fixed.reward_MO.shape[1] == 2


def _answers_of(batch: LifetimeBatch, result: LifetimeResult) -> Answers:
    import numpy as np

    from evoplastic.trials.order import trial_numbers

    streams, tables = batch.trial_streams, batch.tables
    trials = range(result.correct_PK.shape[1])
    number_LK = np.stack([trial_numbers(streams, tables, trial) for trial in trials], axis=1)
    target_LK = tables.fixed.target_action_M[number_LK]
    choice_LK = np.where(result.correct_PK.numpy(), target_LK, 1 - target_LK)
    return Answers(tables.kind_M[number_LK], target_LK, choice_LK)


def _recorded(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    engine: str,
    threads: int,
) -> tuple[LifetimeResult, Answers]:
    from evoplastic.engines.recorded import record_lifetimes
    from evoplastic.lifetime.recording import Recording

    recording = Recording(trials=tuple(range(config.num_trials)), fields=("choice",))
    result, recorded, _ = record_lifetimes(
        params, groups, batch, config, recording, engine=engine, threads=threads
    )
    choice_LK = last_choices(recorded.fields["choice"])
    return result, Answers(recorded.kind_PR, recorded.target_PR, choice_LK)


def last_choices(choice_LKT: Any) -> Int64Array:
    """The last action of each trial, -1 where none was taken.

    >>> import numpy as np
    >>> last_choices(np.array([[[-1, 2, 0, -1], [-1, -1, -1, -1]]])).tolist()
    [[0, -1]]
    """
    import numpy as np

    taken_LKT = choice_LKT >= 0
    steps = choice_LKT.shape[-1]
    last_LK = steps - 1 - taken_LKT[..., ::-1].argmax(-1)
    choice_LK = np.take_along_axis(choice_LKT, last_LK[..., None], -1)[..., 0]
    found: Int64Array = choice_LK.astype(np.int64)
    return found


def joined(parts: Sequence[Answers]) -> Answers:
    """Lifetimes laid end to end."""
    import numpy as np

    return Answers(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def labelled_answers(setting: Setting, answers: Sequence[Sequence[Answers]]) -> dict[str, Any]:
    """Variables of a dataset: of each task, for each condition; nothing of nothing."""
    import numpy as np

    if not answers:
        return {}
    dims = ("task", "condition", "life", "trial")
    names = {"kind": "kind_LK", "target_action": "target_LK", "choice": "choice_LK"}
    found: dict[str, Any] = {
        name: (dims, np.stack([[getattr(each, field) for each in rows] for rows in answers]))
        for name, field in names.items()
    }
    shown = [
        {
            name: values
            for name, (_, values) in stimuli_of(
                task.trials, dims[1:], np.stack([each.kind_LK for each in rows])
            ).items()
        }
        for task, rows in zip(setting.tasks, answers, strict=True)
    ]
    if all(each.keys() == shown[0].keys() for each in shown):
        for name in shown[0]:
            found[name] = dims, np.stack([each[name] for each in shown])
    return found
