"""The story of some runs in a paragraph that is made from their numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from analysis.figures.style import ROLE_LABEL
from analysis.generalization import ROLES
from analysis.measures import ACCURACY, Measure
from analysis.negations import ability_and_bias, held_out_pairs, negations_phrase
from analysis.page.contents import Contents, judged_by
from analysis.page.words import (
    MOST_NAMED,
    count,
    duration,
    each_task,
    listed,
    mean_and_tasks,
    number,
    over_seeds,
    tasks_phrase,
)
from analysis.settings import Setting
from analysis.store import RunRecords
from evoplastic.records.names import GENERATION_SECONDS
from tasks.suites.negations import Pair

SOLVED = 0.90  # held-out accuracy whose first generation is told
ENDS = {
    "done": "is done",
    "running": "has not ended yet",
    "preempted": "was pre-empted and can be resumed",
    "interrupted": "was interrupted and can be resumed",
    "failed": "has failed",
}


def story(contents: Contents) -> list[str]:
    """Sentences: what was evolved, what it reaches beside its levels, since when, and by what."""
    measure = judged_by(contents)
    if len(contents.runs) == 1:
        told = _of_run(contents, measure)
    elif len(contents.settings) == 1:
        told = _of_seeds(contents, measure)
    else:
        told = _of_settings(contents, measure)
    return [*told, *_unanswered(contents, measure)]


def _of_run(contents: Contents, measure: Measure) -> Iterator[str]:
    (run,) = contents.runs
    generations = run.evaluations[-1].generation
    took = duration(seconds_until(run, generations))
    spent = f" in {took} of evolution" if took else ""
    who = f"{run.start.name} (seed {run.seed})"
    yield f"{who} {ENDS[run.status]}: {count(generations, 'generation')}{spent}."
    yield from _reached(contents, 0, measure)
    yield from _when(run)
    yield from _controls(contents, measure)
    if run.faults:
        yield f"{count(len(run.faults), 'fault')} on the way, each survived."


def _of_seeds(contents: Contents, measure: Measure) -> Iterator[str]:
    (setting,) = contents.settings
    yield f"{_seeds(setting)} of {contents.names[0]}, which differ in nothing else."
    yield from _reached(contents, 0, measure)
    yield from _solved_by(setting)
    yield from _controls(contents, measure)


def _of_settings(contents: Contents, measure: Measure) -> Iterator[str]:
    keys = list(dict.fromkeys(key for each in contents.settings for key in each.values))
    yield (
        f"{count(len(contents.runs), 'run')} of {count(len(contents.settings), 'setting')}, "
        f"which differ in {listed(keys)}."
    )
    role = next(role for role in reversed(ROLES) if contents.tasks(role))
    newest = _newest(contents.of(role), measure)
    of_runs = newest.groupby(["setting", "run_id"])[measure.column("mean")].mean()
    means = of_runs.groupby("setting").mean().sort_values(ascending=False)
    yield (
        f"On {ROLE_LABEL[role]}, mean of {newest['task'].nunique()}, the newest networks reach: "
        + "; ".join(
            f"{contents.names[int(place)]}: {over_seeds(of_runs[place], measure)}, on "
            f"{each_task(newest[newest['setting'] == place], measure)}"
            for place in means.index[:MOST_NAMED]
        )
        + (f"; and {count(len(means) - MOST_NAMED, 'setting')} below." if len(means) > MOST_NAMED
           else ".")
    )  # fmt: skip
    yield from _levels(newest, measure)
    pairs = held_out_pairs(contents.runs[0])
    if role == "held_out" and measure is ACCURACY and pairs:
        yield negations_phrase(pairs)
    first, second = means.index[:2]
    yield _apart(contents, of_runs[first], of_runs[second], int(first), int(second))


def _apart(contents: Contents, best: pd.Series, other: pd.Series, first: int, second: int) -> str:
    names = contents.names[first], contents.names[second]
    pair = " and ".join(names)
    if min(len(best), len(other)) < 2:
        return f"{pair}: with one seed of a setting, chance may be all that is between them."
    if best.min() > other.max():
        return f"Every seed of {names[0]} is above every seed of {names[1]}."
    return f"The seeds of {pair} overlap: the order of these two may be chance."


def _reached(contents: Contents, setting: int, measure: Measure) -> Iterator[str]:
    """Held-out tasks beside their levels, then training tasks."""
    for role in reversed(ROLES):
        own = contents.of(role)
        newest = _newest(own[own["setting"] == setting], measure)
        if not len(newest):
            continue
        tasks = newest["task"].nunique()
        of_runs = newest.groupby("run_id")[measure.column("mean")].mean()
        run = contents.runs[0]
        trials = f"the last {run.scored_trials} of {run.num_trials} trials of a lifetime"
        met = ", on which no genome was ever selected," if role == "held_out" else ""
        each = f" ({each_task(newest, measure)})" if tasks > 1 else ""
        reached = over_seeds(of_runs, measure)
        if measure is not ACCURACY and tasks > 1:  # each task pays on a scale of its own
            reached, each = each_task(newest, measure), ""
        done = (
            f"answers {reached} of {trials} correctly"
            if measure is ACCURACY
            else f"earns {reached} a trial over {trials}"
        )
        named = tasks_phrase(role, list(newest["task"].unique()))
        yield f"On {named}{met} the newest network {done}{each}."
        pairs = held_out_pairs(run)
        if role == "held_out" and measure is ACCURACY and pairs:
            yield _ability(newest, pairs)
        if role == "held_out" or not contents.tasks("held_out"):
            yield from _levels(newest, measure)
            yield from _begin(own, measure)


def _ability(newest: pd.DataFrame, pairs: tuple[Pair, ...]) -> str:
    """Half the sum and half the difference of two negations, which their mean alone would mix."""
    means = newest.groupby("task")[ACCURACY.column("mean")].mean()
    told = []
    for pair in pairs[:MOST_NAMED]:
        ability, bias = ability_and_bias(dict(means), pair)
        told.append(
            f"{' and '.join(pair)} show the same and want opposite answers: ability "
            f"{number(ACCURACY, ability)}, bias {100 * bias:+z.1f} points"
        )
    return f"{'; '.join(told)}."


def _unanswered(contents: Contents, measure: Measure) -> Iterator[str]:
    """Tasks that the story leaves to the tables."""
    tasks = [(role, task) for role in ROLES for task in contents.tasks(role)]
    left = [task for role, task in tasks if measure not in contents.measures(role, task)]
    if left:
        named = f" ({listed(left)})" if len(left) <= MOST_NAMED else ""
        have = "has" if len(left) == 1 else "have"
        yield (f"{count(len(left), 'task')}{named} {have} no right answers, and the rewards below.")


def _levels(newest: pd.DataFrame, measure: Measure) -> Iterator[str]:
    if measure is not ACCURACY and newest["task"].nunique() > 1:
        return  # each has its own, in the table
    fixed, chance = (newest[each].mean() for each in (measure.fixed_policy, measure.chance))
    if fixed == fixed:
        above = newest["above_fixed_policy"].mean()
        share = (
            f", which {number(ACCURACY, above)} of the lifetimes exceed"
            if measure is ACCURACY and above == above
            else ""
        )
        guess = f"; chance is {number(measure, chance)}" if chance == chance else ""
        yield f"The best fixed policy reaches {number(measure, fixed)}{share}{guess}."


def _begin(own: pd.DataFrame, measure: Measure) -> Iterator[str]:
    first, last = own["generation"].min(), own["generation"].max()
    start = own[(own["generation"] == first) & own[measure.column("mean")].notna()]
    if first < last and len(start):
        yield f"At generation {first} it was {mean_and_tasks(start, measure)}."


def _when(run: RunRecords) -> Iterator[str]:
    """The first evaluation that is past `SOLVED`, and what it took."""
    found = solved_at(run)
    if found is None:
        best = max((each.held_out_accuracy or 0.0 for each in run.evaluations), default=0.0)
        if best:
            yield f"No evaluation came to {100 * SOLVED:.0f} % on held-out tasks."
        return
    took = duration(seconds_until(run, found))
    after = f", after {took} of evolution" if took else ""
    yield f"{100 * SOLVED:.0f} % on held-out tasks were first passed at generation {found}{after}."


def _solved_by(setting: Setting) -> Iterator[str]:
    found = [generation for run in setting.runs if (generation := solved_at(run)) is not None]
    if found:
        between = f"{min(found)}" if min(found) == max(found) else f"{min(found)} to {max(found)}"
        yield (
            f"{len(found)} of {len(setting.runs)} seeds passed {100 * SOLVED:.0f} % on held-out "
            f"tasks, first at generation {between}."
        )


def solved_at(run: RunRecords) -> int | None:
    """The first generation whose held-out accuracy is `SOLVED`."""
    for each in run.evaluations:
        if each.held_out_accuracy is not None and each.held_out_accuracy >= SOLVED:
            return each.generation
    return None


def _controls(contents: Contents, measure: Measure) -> Iterator[str]:
    role = next((each for each in reversed(ROLES) if len(contents.of(each))), None)
    for condition, what in (
        ("plasticity_off", "With plasticity off the same network reaches"),
        ("random_genome", "A random genome reaches"),
    ):
        found = _newest(contents.of(str(role), condition=condition), measure)
        if len(found):
            yield f"{what} {mean_and_tasks(found, measure)}."


def _newest(scores: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """The last evaluation of each run and task that has the measure."""
    known = scores[scores[measure.column("mean")].notna()]
    return known.groupby(["run_id", "task"], sort=False).tail(1)


def _seeds(setting: Setting) -> str:
    seeds = sorted(run.seed for run in setting.runs)
    return f"{len(seeds)} runs (seeds {listed(list(map(str, seeds)))})"


def seconds_until(run: RunRecords, generation: int) -> float:
    """Seconds of evolution before a generation, without evaluations and pauses."""
    return sum(
        each.metrics.get(GENERATION_SECONDS, 0.0)
        for each in run.generations
        if each.generation < generation
    )
