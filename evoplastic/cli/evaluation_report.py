"""The tables that `evoplastic evaluate` prints."""

from __future__ import annotations

import math
from statistics import fmean, pstdev
from typing import Any

from evoplastic.cli.streams.report import print_stream
from evoplastic.cli.verbs import print_table

BINS = 8  # of the learning curve, when it is printed as text
SURE = 2.0  # standard errors by which a score must be better to count as such
WITH_OR_NOT = ("plastic", "plasticity_off")
STATISTICS = ("mean", "q25", "median", "q75")


def print_evaluation(report: dict[str, Any], conditions: list[str]) -> None:
    """Accuracies, rewards of self-paced tasks, and curves, to be read."""
    print(
        f"genome {report['genome'][:16]}, {report['lifetimes']} lifetimes of each task, "
        f"{report['num_trials']} trials each, seed {report['seed']}, engine {report['engine']}, "
        f"settings of {report['config']}\n"
    )
    entries = report["tasks"]
    with_answers = [entry for entry in entries if entry["chance"] is not None]
    with_rewards = [entry for entry in entries if entry["reward_chance"] is not None]
    if with_answers:
        _print_accuracies(with_answers, conditions, report["scored_trials"])
    if with_rewards:
        _print_rewards(with_rewards, conditions, report["scored_trials"])
    for entry in entries:
        if "stream" in entry:
            print_stream(entry["task"], entry["stream"])
    if "groups" in report:
        _print_groups(report["groups"], report["scored_trials"])
    for name, curve, chosen in (
        ("Correct answers", "learning_curve", with_answers),
        ("Reward of a trial", "reward_curve", [e for e in entries if e not in with_answers]),
    ):
        if chosen:
            _print_curves(chosen, conditions, curve, report["num_trials"], name)
    for warning in [each for entry in entries for each in entry["warnings"]]:
        print(f"warning: {warning}")
    means = (
        "the best that ignores\nthe stimuli but knows when an answer is due."
        if with_rewards
        else "the most that a network can\nreach that does not learn the task within its lifetime."
    )
    print(f"\nabove: share of lifetimes better than the best fixed policy, {means}")


def unlearnt(entry: dict[str, Any], lifetimes: int) -> list[str]:
    """What is to be said of a score that plasticity off or the best fixed policy reaches too.

    The score is the accuracy, or the reward of a task without answers. It is better if its mean
    over L lifetimes exceeds the other by more than two standard errors:

        mean - other > 2 sqrt((std^2 + other std^2) / L)

    Of a stream it is the acquisition, since what comes back may ask for the opposite of what was
    learnt meanwhile, and there is no level of it but plasticity off.

    Args:
        entry: levels, and the statistics with plasticity on and off.
        lifetimes: L, of each.
    """
    on, off = entry["plastic"], entry["plasticity_off"]
    score = "accuracy" if on["accuracy_mean"] is not None else "reward"
    level = entry["fixed_policy_level" if score == "accuracy" else "reward_fixed_policy"]
    show = "{:.1%}".format if score == "accuracy" else "{:.2f}".format
    mean, std = on[f"{score}_mean"], on[f"{score}_std"]
    without = off[f"{score}_mean"], off[f"{score}_std"]
    streams = entry.get("stream", {})
    acquired = [streams.get(name, {}).get("scores", {}).get("acquisition") for name in WITH_OR_NOT]
    if all(acquired):
        score, level, show = "acquisition", None, "{:.1%}".format
        (mean, std), without = [(fmean(values), pstdev(values)) for values in acquired]
    others = [("the network with plasticity off", *without)]
    if level is not None:
        others.append(("the best fixed policy", level, 0.0))
    reached = [
        f"{name} ({show(other)})"
        for name, other, spread in others
        if mean - other <= SURE * math.sqrt((std**2 + spread**2) / lifetimes)
    ]
    if not reached:
        return []
    return [
        f"{entry['task']}: {score} {show(mean)} is not clearly better than {' and '.join(reached)} "
        f"over {lifetimes} lifetimes; no sign that the network learns this task in its lifetime"
    ]


def by_group(
    entries: list[dict[str, Any]], conditions: list[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Means over the tasks of each group of held-out tasks, by group and condition; {} without.

    Args:
        entries: of the report, each with as many lifetimes.
        conditions: that were run.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        if entry.get("group") is not None:
            groups.setdefault(entry["group"], []).append(entry)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for group, its in groups.items():
        for condition in conditions:
            means = {"tasks": float(len(its))}
            for name in ("accuracy_mean", "reward_mean"):
                known = [e[condition][name] for e in its if e[condition][name] is not None]
                if known:
                    means[name] = sum(known) / len(known)
            best = [e["reward_adaptive"] for e in its if e.get("reward_adaptive") is not None]
            if len(best) == len(its) and "reward_mean" in means:
                means["regret"] = sum(best) / len(best) - means["reward_mean"]
            found.setdefault(group, {})[condition] = means
    return found


def _print_groups(groups: dict[str, dict[str, dict[str, float]]], scored: int) -> None:
    print_table(
        ("group of held-out tasks", "condition", "tasks", "accuracy", "reward", "regret"),
        [
            (
                group,
                condition.replace("_", " "),
                f"{means['tasks']:.0f}",
                f"{means['accuracy_mean']:.1%}" if "accuracy_mean" in means else "-",
                f"{means['reward_mean']:.2f}" if "reward_mean" in means else "-",
                f"{means['regret']:.2f}" if "regret" in means else "-",
            )
            for group, by_condition in groups.items()
            for condition, means in by_condition.items()
        ],
        title=f"\nMeans over the tasks of a group, over the last {scored} trials",
    )


def _print_accuracies(entries: list[dict[str, Any]], conditions: list[str], scored: int) -> None:
    print_table(
        ("task", "condition", *STATISTICS, "above", "chance", "fixed policy"),
        [
            (
                entry["task"],
                condition.replace("_", " "),
                *(f"{entry[condition][f'accuracy_{key}']:.1%}" for key in STATISTICS),
                _percent(entry[condition]["above_fixed_policy"]),
                _percent(entry["chance"]),
                _percent(entry["fixed_policy_level"]),
            )
            for entry in entries
            for condition in conditions
        ],
        title=f"Correct answers over the last {scored} trials",
    )


def _print_rewards(entries: list[dict[str, Any]], conditions: list[str], scored: int) -> None:
    levels = ("reward_chance", "reward_fixed_policy", "reward_oracle")
    adaptive = [entry.get("reward_adaptive") for entry in entries]
    found_out = any(level is not None for level in adaptive)

    def regret(level: float | None, reached: float) -> tuple[str, ...]:
        if not found_out:
            return ()
        return ("-", "-") if level is None else (f"{level:.2f}", f"{level - reached:.2f}")

    print_table(
        (
            *("task", "condition", *STATISTICS, "chance", "fixed policy", "oracle"),
            *(("best adaptive", "regret") if found_out else ()),
        ),
        [
            (
                entry["task"],
                condition.replace("_", " "),
                *(f"{entry[condition][f'reward_{key}']:.2f}" for key in STATISTICS),
                *("-" if entry[level] is None else f"{entry[level]:.2f}" for level in levels),
                *regret(best, entry[condition]["reward_mean"]),
            )
            for entry, best in zip(entries, adaptive, strict=True)
            for condition in conditions
        ],
        title=f"\nReward of a trial over the last {scored} trials",
    )


def _print_curves(
    entries: list[dict[str, Any]], conditions: list[str], curve: str, num_trials: int, name: str
) -> None:
    import numpy as np

    bins = [b for b in np.array_split(np.arange(num_trials), BINS) if len(b)]
    show = _percent if curve == "learning_curve" else "{:.2f}".format
    print_table(
        ("task", "condition", *(f"{b[0] + 1}-{b[-1] + 1}" for b in bins)),
        [
            (
                entry["task"],
                condition.replace("_", " "),
                *(show(float(np.array(entry[condition][curve])[b].mean())) for b in bins),
            )
            for entry in entries
            for condition in conditions
        ],
        title=f"\n{name} by trial of the lifetime",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
