"""probe: what a network still learns when something is done to it, beside the intact network."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.genome import REFERENCE
from evoplastic.cli.inside.record import add_lifetime_options
from evoplastic.cli.inside.recorded import place_of
from evoplastic.cli.verbs import (
    add_json,
    add_trust,
    add_verb,
    count_from_zero,
    positive,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from cluster.tracking.child import Place
    from evoplastic.cli.verbs import Subparsers

NEURONS = "GROUP[:A-B,C]"
INTERVENTIONS = {
    "--lesion": (NEURONS, "neurons to take out, as hidden:0-19, modulators, feedback"),
    "--clamp": (
        f"{NEURONS}=RATE",
        "neurons to hold at a rate, or at `mean`: each at its mean in the same life, intact",
    ),
    "--shuffle": (NEURONS, "neurons that have their rates of other trials of the same life"),
    "--shuffle-steps": (NEURONS, "the same, all steps of the life in random order"),
    "--another-life": (NEURONS, "neurons that have their rates of another life of the intact one"),
    "--scale": ("FIELD=X", "field of the genome to multiply, as alpha=0.5"),
}


def add_verbs(verbs: Subparsers) -> None:
    """Declare `probe`."""
    parser = add_verb(
        verbs,
        "probe",
        "lesion, clamp, freeze, shuffle or scale, and compare with the intact network",
        """
        evoplastic probe g.safetensors --task dms --lesion hidden:0-19
        evoplastic probe runs/laptop-seed1-001 --clamp modulators=0 --freeze-plasticity-after 200
        evoplastic probe g.safetensors --each --clamp modulators=mean --shuffle modulators --json
        evoplastic probe runs/laptop-seed1-001 --scale alpha=0.5 --to-mlflow
        """,
        run_probe,
    )
    parser.add_argument("genome", metavar="GENOME", help=REFERENCE)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="lifetime settings to change"
    )
    parser.add_argument(
        "--task",
        action="append",
        metavar="T",
        help="task to measure, may be repeated (default: the held-out tasks of the suite)",
    )
    parser.add_argument(
        "--lifetimes", type=positive, default=64, metavar="N", help="of each task (default 64)"
    )
    for option, (metavar, text) in INTERVENTIONS.items():
        parser.add_argument(
            option, action="append", default=[], metavar=metavar, help=f"{text}; may be repeated"
        )
    parser.add_argument(
        "--freeze-plasticity-after",
        type=count_from_zero,
        metavar="K",
        help="trials after which no plastic weight changes",
    )
    parser.add_argument(
        "--each", action="store_true", help="each intervention alone, not all of them at once"
    )
    parser.add_argument(
        "--confidence", type=float, default=0.95, metavar="C", help="of intervals (default 0.95)"
    )
    add_lifetime_options(parser)
    parser.add_argument(
        "--to-mlflow",
        action="store_true",
        help="record each condition as a run below the run that evolved the genome",
    )
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="DIR",
        help="folder for probe.png, .svg and .pdf, and the numbers, probe.csv",
    )
    add_trust(parser)
    add_json(parser)


def run_probe(args: argparse.Namespace) -> int:
    """Check everything, run the lifetimes, and tell the differences."""
    from evoplastic.api.probing import carry_out, planned_probe
    from evoplastic.watching import watched

    setting, asked = planned_probe(
        args.genome,
        args.task,
        args.lifetimes,
        args.confidence,
        overrides=args.overrides,
        seed=args.seed,
        config=args.config,
        engine=args.engine,
        store=args.store,
        lesion=args.lesion,
        clamp={name: _rate(text) for name, text in _pairs("--clamp", args.clamp).items()},
        freeze_plasticity_after=args.freeze_plasticity_after,
        shuffle=args.shuffle,
        shuffle_steps=args.shuffle_steps,
        another_life=args.another_life,
        scale={name: _number(name, text) for name, text in _pairs("--scale", args.scale).items()},
        each=args.each,
    )
    require(
        args.figures is None or not args.figures.is_file(),
        f"--figures {args.figures} is a file, expected a folder",
    )
    place = place_of(setting, args.store) if args.to_mlflow else None
    with watched(f"probing {', '.join(task.name for task in setting.tasks)}"):
        probed = carry_out(setting, asked, args.lifetimes, args.confidence)
    report = report_of(probed)
    report["recorded"] = [] if place is None else _record(place, report)
    files = [] if args.figures is None else _draw(report, args.figures)
    report["figures"] = [str(file) for file in files]
    if args.json:
        print_json(report)
    else:
        _print(report)
        for file in files:
            print(f"wrote {file}")
        if place is not None:
            where = f"below run {place.parent}" if place.parent else "as runs of no other run"
            print(f"\nrecorded in {place.uri}, {where}: {', '.join(report['recorded'])}")
    return exits.DONE


def report_of(probed: Any) -> dict[str, Any]:
    """The numbers of a probe as plain values; accuracies of tasks without answers are null."""
    entries: list[dict[str, Any]] = []
    for task in probed.task.values:
        of_task = probed.sel(task=task)
        entry: dict[str, Any] = {
            "task": str(task),
            "role": str(of_task.role.values) or None,
            **{
                level: _known(of_task[level])
                for level in ("chance", "fixed_policy", "reward_chance", "reward_fixed_policy")
            },
            "conditions": [],
        }
        for condition in probed.condition.values:
            own = of_task.sel(condition=condition)
            numbers: dict[str, Any] = {"condition": str(condition)}
            for score in ("accuracy", "reward"):
                numbers[f"{score}_mean"] = _known(own[score].mean("life", skipna=False))
                numbers[f"{score}_std"] = _known(own[score].std("life", skipna=False))
                if condition in probed.intervention:
                    intervention = of_task.sel(intervention=condition)
                    for name in ("difference", "low", "high"):
                        numbers[f"{score}_{name}"] = _known(intervention[f"{score}_{name}"])
            curve = own["correct" if numbers["accuracy_mean"] is not None else "reward_of_trial"]
            numbers["curve"] = [round(float(value), 4) for value in curve.mean("life")]
            entry["conditions"].append(numbers)
        entries.append(entry)
    attrs = probed.attrs
    return {
        "genome": attrs["genome"],
        "config": attrs["config"],
        "engine": attrs["engine"],
        "seed": int(attrs["seed"]),
        "lifetimes": probed.sizes["life"],
        "num_trials": probed.sizes["trial"],
        "scored_trials": attrs["scored_trials"],
        "confidence": attrs["confidence"],
        "tasks": entries,
    }


def _print(report: dict[str, Any]) -> None:
    print(
        f"genome {report['genome'][:16]}, {report['lifetimes']} lifetimes of each task, "
        f"{report['num_trials']} trials each, seed {report['seed']}, engine {report['engine']}, "
        f"settings of {report['config']}\n"
    )
    for score, title, show in (
        ("accuracy", "Correct answers", "{:.1%}".format),
        ("reward", "Reward of a trial", "{:.2f}".format),
    ):
        other = "accuracy" if score == "reward" else None
        rows = [
            _row(entry["task"], numbers, score, show)
            for entry in report["tasks"]
            for numbers in entry["conditions"]
            if numbers[f"{score}_mean"] is not None
            and (other is None or numbers[f"{other}_mean"] is None)
        ]
        if rows:
            print_table(
                ("task", "condition", "mean", "difference", "from", "to"),
                rows,
                title=f"{title} over the last {report['scored_trials']} trials",
            )
    print(
        "\ndifference: from the intact network in the same lifetimes, with its "
        f"{report['confidence']:.0%}\ninterval (bootstrap over lifetimes)."
    )


def _draw(report: dict[str, Any], folder: Path) -> list[Path]:
    from analysis.figures.probe import draw_probe

    return draw_probe(report, folder)


def _row(task: str, numbers: dict[str, Any], score: str, show: Any) -> tuple[str, ...]:
    changes = [numbers.get(f"{score}_{name}") for name in ("difference", "low", "high")]
    return (
        task,
        numbers["condition"],
        show(numbers[f"{score}_mean"]),
        *(
            "-" if value is None else f"{'+' if value > 0 else ''}{show(value)}"
            for value in changes
        ),
    )


def _record(place: Place, report: dict[str, Any]) -> list[str]:
    """A run for each intervention; their ids in MLflow."""
    from cluster.tracking.child import Child, log_child
    from evoplastic.metric_names import metric_word

    told = ("config", "engine", "seed", "lifetimes", "num_trials", "scored_trials", "confidence")
    found = []
    for index, first in enumerate(report["tasks"][0]["conditions"]):
        if index == 0:
            continue
        metrics: dict[str, float] = {}
        for entry in report["tasks"]:
            intact, numbers = entry["conditions"][0], entry["conditions"][index]
            word = metric_word(entry["task"])
            for score in ("accuracy", "reward"):
                values = {
                    score: numbers[f"{score}_mean"],
                    f"{score}_intact": intact[f"{score}_mean"],
                    **{
                        f"{score}_{name}": numbers[f"{score}_{name}"]
                        for name in ("difference", "low", "high")
                    },
                }
                metrics |= {f"{word}/{n}": v for n, v in values.items() if v is not None}
        name = first["condition"]
        child = Child(
            name=f"probe: {name}",
            kind="probe",
            params={"intervention": name, **{key: report[key] for key in told}},
            metrics=metrics,
            genome=report["genome"],
            report=report,
        )
        found.append(log_child(place, child))
    return found


def _known(value: Any) -> float | None:
    number = float(value)
    return None if math.isnan(number) else number


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        require(
            bool(equals and name and value),
            f"{option} {text!r} has no value, expected it as in "
            f"{option} {'modulators=0' if option == '--clamp' else 'alpha=0.5'}",
        )
        require(name not in found, f"{option} {name} is given twice")
        found[name] = value
    return found


def _rate(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        require(False, f"{name} is scaled by {text!r}, expected a number")
        raise
