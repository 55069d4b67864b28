"""The note above a run in MLflow: what came out, what is its own, and the commands that lead on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cluster.tracking.page.naming import overrides, run_name
from cluster.tracking.page.points import ROLES, Pair, summary
from evoplastic.commands import PROGRAM, command, quoted
from evoplastic.records.events import EvaluationEvent, StartEvent, TaskEvaluation
from evoplastic.records.names import SUMMARY, Status
from tasks.suites.negations import negations_of

MOST_ROWS = 40
ENDS: dict[Status | None, str] = {
    None: "at work",
    "done": "done",
    "preempted": "pre-empted, to be resumed",
    "interrupted": "interrupted, to be resumed",
    "failed": "failed",
}
HEADER = (
    "| task | correct | quartiles | lifetimes above fixed policy | fixed policy | chance "
    "| plasticity off | random genome |",
    "|---|--:|--:|--:|--:|--:|--:|--:|",
)


class Place(NamedTuple):
    """Where a run is told of."""

    uri: str
    run_id: str  # MLflow's


def note(
    run_dir: Path,
    start: StartEvent,
    config: dict[str, Any],
    place: Place,
    last: EvaluationEvent | None,
    status: Status | None,
) -> str:
    """The note of a run, as far as it has come, in Markdown.

    Args:
        run_dir: its directory.
        start: its first event.
        config: its resolved configuration.
        place: its place in the store.
        last: its newest evaluation.
        status: how it ended; None while it is at work.
    """
    parts = [f"**{run_name(start, config)}**: {ENDS[status]}."]
    if last is not None:
        parts += [_sentence(last, config, negations_of(start, config)), "", *_table(last)]
    parts += ["", *_differences(config), "", *_commands(run_dir, place), ""]
    return "\n".join(parts)


def _sentence(last: EvaluationEvent, config: dict[str, Any], negations: Sequence[Pair]) -> str:
    numbers = summary(last, negations)
    lifetime = config.get("lifetime") or {}
    scored, trials = lifetime.get("scored_trials"), lifetime.get("num_trials")
    held_out = numbers.get(f"{SUMMARY}/held_out_accuracy")
    told = ""
    if held_out is not None:
        worst = numbers[f"{SUMMARY}/held_out_accuracy_worst_task"]
        told = f" Held-out tasks: {_percent(held_out)} % correct, the worst {_percent(worst)} %"
        fixed = numbers.get(f"{SUMMARY}/held_out_fixed_policy")
        told += f"; the best fixed policy reaches {_percent(fixed)} %." if fixed else "."
        told += _groups(last) + _bias(last, numbers, negations)
    over = f" Percent correct over the last {scored} of {trials} trials." if scored else ""
    return f"Genome of generation {last.generation}.{told}{over}"


def _groups(last: EvaluationEvent) -> str:
    """Held-out families, or how many levels of combinations are new together."""
    means = [
        f"{group} {_percent(found['accuracy_mean'])} %"
        for group, found in last.by_group().items()
        if "accuracy_mean" in found
    ]
    return f" By group: {', '.join(means)}." if means else ""


def _bias(last: EvaluationEvent, numbers: dict[str, float], negations: Sequence[Pair]) -> str:
    bias = numbers.get(f"{SUMMARY}/held_out_bias")
    if bias is None:
        return ""
    held_out = {entry.task for entry in last.entries if entry.role == "held_out"}
    pairs = [pair for pair in negations if held_out.issuperset(pair)]
    names = ", ".join(
        f"`{first}` and `{second}`".replace("|", "\\|") for first, second in pairs[:3]
    )
    return (
        f" {names} show the same and want opposite answers, so their mean is 50 % for a network "
        f"that only prefers one; half of what they differ by, the bias, is {_percent(bias)} %."
    )


def _table(last: EvaluationEvent) -> list[str]:
    """Held-out tasks first, each beside its levels and its controls."""
    controls = {
        (entry.role, entry.task, entry.condition): entry.statistics().get("accuracy_mean")
        for entry in last.entries
    }
    rows = []
    for role in ROLES:
        for entry in last.entries:
            if (entry.role, entry.condition) == (role, "plastic"):
                off = controls.get((role, entry.task, "plasticity_off"))
                other = controls.get((role, entry.task, "random_genome"))
                rows.append(_row(entry, off, other))
    more = [f"\n{len(rows) - MOST_ROWS} more tasks in `figures/final_table.csv`."]
    return [*HEADER, *rows[:MOST_ROWS], *(more if len(rows) > MOST_ROWS else [])]


def _row(entry: TaskEvaluation, off: float | None, other: float | None) -> str:
    found = entry.statistics()
    quartiles = [_percent(found.get(f"accuracy_{name}")) for name in ("q25", "q75")]
    name = entry.task.replace("|", "\\|").replace("`", "'")
    shown = f"**`{name}`** (held out)" if entry.role == "held_out" else f"`{name}`"
    cells = [
        shown,
        _percent(found.get("accuracy_mean")),
        "-".join(quartiles),
        _percent(found.get("above_fixed_policy")),
        _percent(entry.fixed_policy_level),
        _percent(entry.chance),
        _percent(off),
        _percent(other),
    ]
    return f"| {' | '.join(cells)} |"


def _differences(config: dict[str, Any]) -> list[str]:
    differing = overrides(config)
    if not differing:
        return []
    lines = [f"- `{key}`: {value}" for key, value in differing.items()]
    return [f"What differs from the recipe `{config.get('name')}`:", "", *lines]


def _commands(run_dir: Path, place: Place) -> list[str]:
    """Commands that need nothing but this store, and the one that needs the run's directory."""
    verbs = (
        ("analyze", place.run_id),
        ("genome", "list", place.run_id),
        ("evaluate", place.run_id, "--lifetimes", "256"),
    )
    return [
        "From any machine that reaches this store:",
        "",
        f"    export MLFLOW_TRACKING_URI={quoted(place.uri)}",
        *(f"    {' '.join([PROGRAM, *words])}" for words in verbs),
        "",
        "Where the run was made:",
        "",
        f"    {command('resume', run_dir, anywhere=True)}",
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f}"
