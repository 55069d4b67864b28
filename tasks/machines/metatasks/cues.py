"""The cue-reward task of differentiable plasticity, as a meta-task.

Four cues of random bits are drawn for each instance; one of them is the target. A trial shows two,
one after the other, with pauses of one or two steps, then a go signal: responding pays 1 if the
target was among the two and costs 1 if not, holding still the other way round.

Source: Miconi et al. 2019 (Backpropamine, arXiv 2002.10585), task 1.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasks.machines.metatasks.codes import random_bits
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.state_machine import DOWN, UP, FlagRule, RewardRule, StimulusVariable

CUES = 4
GO = 0  # the stimulus; its channel comes after those of the bits
HOLD, RESPOND = 0, 1


def cue_reward(bits: int = 20, patterns: int = 64, instance_trials: int = 15) -> MetaTask:
    """Cue 0 is the target; as its bits are drawn anew, so is what to look out for."""
    groups = ("first", "pause", "long_pause", "second")
    names = (
        "begin",
        *(f"{group}{cue}" for group in groups for cue in range(CUES)),
        *("wait", "long_wait", "go"),
    )
    place = {name: number for number, name in enumerate(names)}

    def row(to: Mapping[str, float]) -> tuple[tuple[float, ...], ...]:
        return (tuple(float(to.get(name, 0.0)) for name in names),) * 2

    rows = {"begin": row({f"first{cue}": 1 / CUES for cue in range(CUES)})}
    for cue in range(CUES):
        onward = {f"second{other}": 1 / (CUES - 1) for other in range(CUES) if other != cue}
        halves = {name: chance / 2 for name, chance in onward.items()}
        rows[f"first{cue}"] = row({f"pause{cue}": 1.0})
        rows[f"pause{cue}"] = row({f"long_pause{cue}": 0.5, **halves})
        rows[f"long_pause{cue}"] = row(onward)
        rows[f"second{cue}"] = row({"wait": 1.0})
    rows |= {"wait": row({"long_wait": 0.5, "go": 0.5}), "long_wait": row({"go": 1.0})}
    rows["go"] = row({"begin": 1.0})
    shown = {"go": GO} | {
        f"{group}{cue}": StimulusVariable(cue)
        for group in ("first", "second")
        for cue in range(CUES)
    }
    go = place["go"]
    return MetaTask(
        name="cue-reward",
        about="Was the cue that pays in this instance among the two that were shown?",
        source="Miconi et al. 2019 (Backpropamine, arXiv 2002.10585), task 1",
        states=names,
        actions=("hold", "respond"),
        transitions=tuple(rows[name] for name in names),
        stimuli=tuple(shown.get(name) for name in names),
        code=((0.0,) * bits + (1.0,), *((*row, 0.0) for row in random_bits(bits, patterns))),
        rewards=tuple(
            RewardRule(old=go, action=action, flag=flag, value=1.0 if action == flag else -1.0)
            for action in (HOLD, RESPOND)
            for flag in (DOWN, UP)
        ),
        flags=tuple(FlagRule(new=place[f"{group}0"]) for group in ("first", "second")),
        stimulus_variables=tuple(f"cue{cue}" for cue in range(CUES)),
        stimulus_pool=tuple(range(1, patterns + 1)),
        ends=(0,),
        instance_trials=instance_trials,
    )
