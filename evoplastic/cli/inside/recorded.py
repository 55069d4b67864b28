"""What is measured of a genome, recorded in MLflow below the run that evolved it."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError

if TYPE_CHECKING:
    from cluster.tracking.child import Place
    from cluster.tracking.evaluated import Recorded
    from evoplastic.api.setting import Setting

OWN_STORE = ""  # --to-mlflow without a store
STATISTICS = ("accuracy_mean", "accuracy_q25", "accuracy_q75", "above_fixed_policy", "reward_mean")
LEVELS = {"chance": "level_chance", "fixed_policy_level": "level_fixed_policy"}


def store_uri(text: str) -> str:
    """A store's URI, for `type=`; what follows by mistake is no store."""
    if text != OWN_STORE and "://" not in text and text != "databricks":
        raise argparse.ArgumentTypeError(
            f"{text!r} is no store, such as sqlite:///mlflow.db or http://HOST:5000; write "
            "--to-mlflow last, or with a store"
        )
    from cluster.tracking.secrets import require_no_secret

    try:
        require_no_secret(text)
    except UsageError as error:  # which does not repeat the secret
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def place_of(setting: Setting, store: str | None) -> Place:
    """Where what is measured belongs.

    Raises:
        UsageError: the store's address holds something to log in with.
        EnvironmentFault: the store does not answer.
    """
    from analysis.mlflow_store import find_uri
    from cluster.tracking.child import find_place
    from cluster.tracking.secrets import require_no_secret

    tracking, of_run = setting.config.tracking, setting.genome.run_config
    run_dir = None if of_run is None else of_run.parent
    uri = store or find_uri({"tracking": {"uri": tracking.uri}}, run_dir)
    require_no_secret(uri)
    return find_place(uri, tracking.experiment, setting.genome.provenance.get("run_id"))


def record_evaluation(
    setting: Setting,
    report: dict[str, Any],
    conditions: Sequence[str],
    overrides: Sequence[str],
    store: str | None,
) -> Recorded:
    """Put an evaluation below the run that evolved the genome, once.

    Args:
        setting: what was evaluated, in what.
        report: its numbers, as `evaluate --json` prints them.
        conditions: those that were run.
        overrides: `key=value` on top of the configuration.
        store: URI; none means that of the genome's run.

    Raises:
        EnvironmentFault: the store does not answer.
    """
    from cluster.tracking.evaluated import Evaluation, log_evaluation
    from cluster.tracking.models import Suite

    place = place_of(setting, store)
    scores, others = _metrics(report, conditions)
    names = [entry["task"] for entry in report["tasks"]]
    told = ("config", "engine", "seed", "lifetimes", "num_trials", "scored_trials")
    evaluation = Evaluation(
        name=f"evaluate: {', '.join(names[:3])}" + (f" +{len(names) - 3}" if names[3:] else ""),
        key=_key(setting, report),
        params={
            "tasks": ", ".join(names),
            "overrides": " ".join(overrides),
            **{key: report[key] for key in told},
        },
        scores=scores,
        others=others,
        genome=report["genome"],
        generation=int(setting.genome.provenance.get("generation") or 0),
        suite=Suite(str(setting.config.suite), setting.suite_digest),
        report=report,
    )
    return log_evaluation(place, evaluation)


def _key(setting: Setting, report: dict[str, Any]) -> str:
    """SHA-256 of the settings and of all numbers, which one seed always gives: a task whose code
    has changed is another evaluation, the same file under another path is none."""
    from cluster.tracking.page.naming import setting_digest

    content = {
        "setting": setting_digest(setting.config.model_dump(mode="json")),
        "suite": setting.suite_digest,
        **{name: value for name, value in report.items() if name != "config"},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _metrics(
    report: dict[str, Any], conditions: Sequence[str]
) -> tuple[dict[str, float], dict[str, float]]:
    """Scores of tasks of the suite under plasticity, and all other numbers, by metric name.

    They have a group of their own, so that no model is ranked by two kinds of evaluation at once.
    """
    from evoplastic.api.evaluating import PLASTIC
    from evoplastic.metric_names import metric_word
    from evoplastic.records.names import group_metric

    scores: dict[str, float] = {}
    others: dict[str, float] = {}
    held_out: list[float] = []
    for entry in report["tasks"]:
        word, role = metric_word(entry["task"]), entry["role"]
        for condition in conditions:
            numbers = entry[condition]
            plastic = condition == PLASTIC
            group = f"evaluation/{role or 'other'}" if plastic else f"evaluation/{condition}"
            into = scores if plastic and role else others
            into |= {
                f"{group}/{word}/{name}": numbers[name]
                for name in STATISTICS
                if numbers[name] is not None
            }
            if plastic and role == "held_out" and numbers["accuracy_mean"] is not None:
                held_out.append(numbers["accuracy_mean"])
        others |= {
            f"evaluation/{role or 'other'}/{word}/{name}": entry[level]
            for level, name in LEVELS.items()
            if entry[level] is not None
        }
    for group, by_condition in report.get("groups", {}).items():
        for name, value in by_condition.get(PLASTIC, {}).items():
            if name != "tasks":
                scores[f"evaluation/{group_metric(group, name)}"] = value
    if held_out:  # every task has as many lifetimes
        scores["evaluation/held_out/accuracy_mean"] = sum(held_out) / len(held_out)
    return scores, others
