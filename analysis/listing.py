"""What a store holds: runs by setting, best held-out first, with the spread over seeds.

Read from tags and last metrics alone, with one request for each experiment; no journal is opened.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from analysis.mlflow_store import find_uri, open_client
from evoplastic.checks import nearest, require
from evoplastic.records.names import SUMMARY, TAG_OVERRIDES, TAG_RUN_ID, TAG_SETTING

SUMMARIES = (SUMMARY, "summary")  # groups of the present page, and of the one before
OLD_ACCURACY = re.compile(r"held_out/[^/]+/accuracy_mean")  # of pages without a summary
PER_REQUEST = 1000
CONDITION = re.compile(r"([\w.]+)\s*(<=|>=|!=|=|<|>)\s*(.*)")
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ListedRun:
    """One run of a store, by its last evaluation."""

    mlflow_run_id: str
    run_id: str
    experiment: str
    name: str
    seed: int | None
    setting: str  # digest of all settings but seed, name and machinery; the run's id if unknown
    overrides: str  # what differs from the recipe
    status: str
    generations: int | None
    held_out: float | None  # accuracy, mean over tasks
    bias: float | None  # half the difference of held-out tasks that are each other's negation
    worst_task: float | None
    above_fixed_policy: float | None  # share of lifetimes
    fixed_policy: float | None
    settings: dict[str, str]  # by dotted path


@dataclass(frozen=True, kw_only=True)
class ListedSetting:
    """Runs that differ in their seed alone, best first."""

    setting: str
    runs: tuple[ListedRun, ...]

    @property
    def values(self) -> list[float]:
        """Held-out accuracy of the runs that have one."""
        return [run.held_out for run in self.runs if run.held_out is not None]

    @property
    def mean(self) -> float | None:
        """Mean held-out accuracy over runs."""
        return sum(self.values) / len(self.values) if self.values else None

    @property
    def bias(self) -> float | None:
        """Mean size of the bias between held-out negations over runs."""
        known = [run.bias for run in self.runs if run.bias is not None]
        return sum(known) / len(known) if known else None


def list_runs(
    tracking_uri: str | None = None, conditions: Sequence[str] = ()
) -> tuple[ListedSetting, ...]:
    """The runs of a store by setting, those of the best mean held-out accuracy first.

    Args:
        tracking_uri: MLflow store; none means the one that `find_uri` names.
        conditions: `KEY=VALUE` or with `!=`, `<`, `<=`, `>`, `>=`: a setting by its dotted path,
            or one of name, seed, status, experiment, setting (first digits of its digest),
            held_out, bias, worst_task, generations. All must hold; a run without the value is out.

    Raises:
        UsageError: no such store, a condition that is none, or a key that no run has.
        EnvironmentFault: the store does not answer.
    """
    found = _read(tracking_uri or find_uri())
    for text in conditions:
        found = _where(found, text)
    groups: dict[str, list[ListedRun]] = {}
    for run in found:
        groups.setdefault(run.setting, []).append(run)
    settings = [
        ListedSetting(setting=setting, runs=tuple(sorted(runs, key=_by_accuracy)))
        for setting, runs in groups.items()
    ]
    return tuple(sorted(settings, key=lambda each: -(each.mean if each.mean is not None else -1)))


def _by_accuracy(run: ListedRun) -> float:
    return -(run.held_out if run.held_out is not None else -1.0)


def _read(uri: str) -> list[ListedRun]:
    found: list[ListedRun] = []
    with open_client(uri) as client:
        for experiment in client.search_experiments():
            token = None
            while True:
                page = client.search_runs(
                    [experiment.experiment_id], max_results=PER_REQUEST, page_token=token
                )
                found += [_listed(run, experiment.name) for run in page if _is_ours(run)]
                token = page.token
                if not token:
                    break
    return found


def _is_ours(run: Any) -> bool:
    return TAG_RUN_ID in run.data.tags


def _listed(run: Any, experiment: str) -> ListedRun:
    metrics, tags, params = run.data.metrics, run.data.tags, run.data.params
    old = [value for name, value in metrics.items() if OLD_ACCURACY.fullmatch(name)]
    of_tasks = sum(old) / len(old) if old else None
    summary = {
        name: value
        for group in reversed(SUMMARIES)
        for key, value in metrics.items()
        if (name := key.removeprefix(f"{group}/")) != key
    }
    generations = summary.get("number_of_generations", summary.get("generations"))
    seed = params.get("seed", "")
    return ListedRun(
        mlflow_run_id=run.info.run_id,
        run_id=tags[TAG_RUN_ID],
        experiment=experiment,
        name=run.info.run_name,
        seed=int(seed) if seed.isdecimal() else None,
        setting=tags.get(TAG_SETTING, run.info.run_id),
        overrides=tags.get(TAG_OVERRIDES, ""),
        status=run.info.status,
        generations=None if generations is None else int(generations),
        held_out=summary.get("held_out_accuracy", of_tasks),
        bias=summary.get("held_out_bias"),
        worst_task=summary.get("held_out_accuracy_worst_task", min(old, default=None)),
        above_fixed_policy=summary.get("held_out_above_fixed_policy"),
        fixed_policy=summary.get("held_out_fixed_policy"),
        settings=dict(params),
    )


def _where(runs: list[ListedRun], text: str) -> list[ListedRun]:
    """The runs for which a condition holds."""
    parts = CONDITION.fullmatch(text.strip())
    require(
        parts is not None,
        f"--where {text!r} is no condition; write for example 'search.sigma=0.05', 'seed<=3' or "
        "'held_out>0.9'",
    )
    assert parts is not None
    key, sign, wanted = parts[1], parts[2], parts[3].strip()
    own = ("name", "seed", "status", "experiment", "setting", "held_out", "bias",
           "worst_task", "generations")  # fmt: skip
    known = {*own, *(each for run in runs for each in run.settings)}
    if f"{key}.name" in known:  # as in an override: search=snes
        key = f"{key}.name"
    require(
        not runs or key in known,
        f"--where {text!r}: no run of this store has {key!r}; {nearest(key, sorted(known))}",
    )
    require(
        sign in ("=", "!=") or _number(wanted) is not None,
        f"--where {text!r}: {sign} compares numbers, {wanted!r} is none",
    )
    return [
        run
        for run in runs
        if _holds(getattr(run, key) if key in own else run.settings.get(key), sign, wanted, key)
    ]


def _holds(value: Any, sign: str, wanted: str, key: str) -> bool:
    if value is None:
        return False
    if key == "setting" and sign == "=":
        return bool(wanted) and str(value).startswith(wanted)
    numbers = _number(value), _number(wanted)
    if None not in numbers:
        return COMPARE[sign](*numbers)
    return COMPARE[sign](str(value), wanted)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
