"""tasks check TASK: all about one task, or why it cannot be used; and one trial of it again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.checks import UsageError, require
from evoplastic.cli import exits
from evoplastic.cli.tasks_env import percent, source_of
from evoplastic.cli.verbs import count_from_zero, print_json, print_table, seed, settings_of
from evoplastic.trust import Untrusted
from evoplastic.watching import watched

if TYPE_CHECKING:
    from tasks.neurogym.faults.raised import Raised

SOME_GAIN = 0.05
STEPPED_TRIALS = 16  # of whoever takes the target actions
MOST_ACTIONS_BYTES = 1 << 24
PATHS = {
    "bank": "bank: what it shows and pays depends on trial, step and action alone",
    "machine": "state machine: its states and draws are known beforehand",
}


def add_check_arguments(check: argparse.ArgumentParser) -> None:
    """Arguments that say which trials are tried."""
    check.add_argument("--seed", type=seed, default=0, help="seed of the trials (default 0)")
    check.add_argument(
        "--trial",
        type=count_from_zero,
        metavar="N",
        help="try one trial alone, by its number among the draws of the seed: show what it raises",
    )
    check.add_argument(
        "--actions",
        metavar="FILE",
        help="with --trial: actions taken before it, as a run keeps them of tasks that are stepped",
    )


def run_check_trial(args: argparse.Namespace) -> int:
    """What one trial raises; exit code 2 where it does.

    Raises:
        UsageError: the trial raises, or there is no such trial or file.
    """
    from tasks.neurogym.faults.replay import replay_life, replay_trial

    source = source_of(args)
    require(
        source.machine is None, f"task {source.name!r} is a state machine, which raises nothing"
    )
    found: Raised | int | None
    if args.actions is None:
        found = replay_trial(source, args.seed, args.trial)
    else:
        found = replay_life(source, args.seed, args.trial, _actions(Path(args.actions)))
    told: dict[str, Any] = {"task": source.name, "seed": args.seed, "trial": args.trial}
    if found is None or isinstance(found, int):
        told |= {"raises": None}
        steps = "" if found is None else f", {found} steps under each action"
        _say(args, told, f"trial {args.trial} of {source.name} (seed {args.seed}) is sound{steps}")
        return exits.DONE
    told |= {"raises": {"where": found.where, "said": found.said, "traceback": found.traceback}}
    if args.json:
        print_json(told)
        return exits.USAGE
    raise UsageError(
        f"trial {args.trial} of task {source.name!r} (seed {args.seed}) raises in {found.where}: "
        f"{found.said}\n{found.traceback}"
    )


def _say(args: argparse.Namespace, told: dict[str, Any], text: str) -> None:
    if args.json:
        print_json(told)
    else:
        print(text)


def _actions(path: Path) -> list[int]:
    from evoplastic.reading import read_text

    words = read_text(path, "file of actions", MOST_ACTIONS_BYTES).split()
    require(
        all(word.isdigit() for word in words),
        f"file of actions {path} holds more than whole numbers",
    )
    return [int(word) for word in words]


def run_check_task(args: argparse.Namespace) -> int:
    """All about one task, or the reason why it cannot be used."""

    with watched(f"checking {args.task}"):
        found = _found(args)
    refusal = found["refusal"]
    if args.json:
        print_json(found)
        return exits.DONE
    if refusal is not None:
        interface = found["interface"]
        print(
            f"{found['task']} has to be stepped in its own environment ({refusal['reason']}): "
            f"{refusal['detail']}\n{interface['num_inputs']} inputs, {interface['num_outputs']} "
            f"actions, trials of up to {found['max_trial_steps']} steps, "
            f"{found['steps_per_s']:.0f} steps per second; it repeats from its seed. Suites take "
            "it (without rule_cue), but each step of each life is taken in Python, on the slow "
            "reference engine."
        )
    else:
        _print_report(found)
    for note in found["notes"]:
        print(f"note: {note}")
    return exits.DONE


def _found(args: argparse.Namespace) -> dict[str, Any]:
    """All that is known of a task once it was tried.

    Raises:
        UsageError: it cannot be used, for all the reasons that can be told at once.
    """
    from tasks.neurogym.examination import report
    from tasks.neurogym.sources.attempts import attempts, listed, places_in
    from tasks.suites.catalogue import closest_registered

    places = places_in(args.task)
    try:
        source = source_of(args)
    except Untrusted:
        raise
    except UsageError as error:
        raise UsageError(f"{error}{listed(places)}") from error
    found = report(source, seed=args.seed)
    refusal = found["refusal"]
    if found["path"] == "none":
        reasons = {(refusal["reason"], refusal["detail"]): None}
        reasons |= {(each.reason, each.detail): None for each in attempts(source)}
        said = "; ".join(
            f"({reason}): {detail}"
            for reason, detail in reasons
            if not any(detail != more and more.startswith(detail) for _, more in reasons)
        )
        raise UsageError(f"task {found['task']!r} cannot be used {said}{listed(places)}")
    found["evolvable"] = True  # a task that must be stepped too, slowly
    if refusal is None:
        close = closest_registered(source)
        found["closest"] = None if close is None else close._asdict()
    else:
        found |= _stepped(args)
    found["notes"] += [str(place) for place in places]
    return found


def _stepped(args: argparse.Namespace) -> dict[str, Any]:
    """What trying a task step by step shows.

    Raises:
        UsageError: it cannot even be stepped.
    """
    from dataclasses import asdict

    from tasks.neurogym.sources.notes import notes_on
    from tasks.neurogym.stepped_record import recorded
    from tasks.neurogym.stepped_task import stepped_task

    tried = stepped_task(args.task, settings_of(args.set), args.dt_ms)
    return {
        "interface": asdict(tried.interface),
        "max_trial_steps": tried.max_trial_steps,
        "has_answers": tried.has_answers,
        "steps_per_s": round(tried.steps_per_s, 1),
        "deterministic": True,  # else it had been refused
        "notes": notes_on(recorded(tried, args.seed, STEPPED_TRIALS), consecutive=True),
    }


def _print_report(found: dict[str, Any]) -> None:
    steps, interface = found["trial_steps"], found["interface"]
    compared = found["equals_environment"]
    same = "another seed draws other trials" if found["varies_with_seed"] else "any seed draws them"
    environment = "none: the machine is its definition"
    if compared is not None:
        but_for = "".join(f", but for one thing: {each}" for each in compared.get("but_for", []))
        environment = (
            f"equal to its trials, bit for bit, over {compared['trials']} of them under each of "
            f"the policies {', '.join(compared['policies'])}{but_for}"
        )
    print_table(
        ("", ""),
        [
            ("path", PATHS[found["path"]]),
            ("interface", f"{interface['num_inputs']} inputs, {interface['num_outputs']} actions"),
            (
                "trials",
                f"{steps['min']} to {steps['max']} steps of {found['dt_ms']} ms, "
                f"median {steps['median']:g}",
            ),
            ("periods", ", ".join(found["periods"]) or "none"),
            ("repeats", f"one seed draws the same trials again; {same}"),
            ("environment", environment),
            ("closest", _closest(found["closest"])),
            ("speed", f"{found['trials_per_s']:.0f} trials built per second of one core"),
        ],
        title=f"Task {found['task']}",
    )
    if found["trials_left_out"]:
        print(
            f"note: {found['trials_left_out']} more trials raised and were left out; up to 1 in "
            "100 may, and runs count them as fault/raised_trials"
        )
    if found["periods_without_steps"]:
        print(
            f"note: no trial has a step in {', '.join(found['periods_without_steps'])}; a period "
            f"shorter than {found['dt_ms']} ms vanishes, --dt-ms takes a shorter step"
        )
    print()
    constant, fixed = found["best_constant"], found["best_fixed"]
    print_table(
        ("policy", "accuracy", "reward per trial"),
        [
            (name, percent(level["accuracy"]), f"{level['reward']:.3f}")
            for name, level in (
                ("chance: any action at each step", found["chance"]),
                (f"always action {constant['action']}", constant),
                (f"answer {fixed['answer']} whenever one is due", fixed),
                ("oracle: the target actions", found["oracle"]),
            )
        ],
        title=f"Levels, over {found['trials']} trials",
    )
    if found["best_adaptive"] is not None:
        adaptive = found["best_adaptive"]
        error = f" (standard error {adaptive['standard_error']:.3f})"
        print(
            f"Best adaptive policy: {adaptive['how']} {adaptive['reward']:.3f} per trial over an "
            f"instance{error if adaptive['standard_error'] else ''}, finding out included"
        )
    if found["oracle"]["accuracy"] is None:
        print("The task has no ground truth, so it has no accuracy; reward is its only measure.")
    elif constant["accuracy"] == 1.0:
        print(
            f"note: action {constant['action']} throughout is right in every trial. A trial is "
            "judged by the action that ends it; does this one go on after its answer?"
        )


def _closest(close: dict[str, Any] | None) -> str:
    if close is None:
        return "no registered task can be compared with it"
    if close["gain"] < SOME_GAIN:
        return "no registered task's answers do better here than always the same answer"
    return (
        f"{close['task']}: what answers it is right in {close['agreement']:.0%} of trials here, "
        "answers renumbered"
    )
