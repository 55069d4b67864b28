"""tasks list | show | check | preview | generate | split: the world that networks act in."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from evoplastic import trust
from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.combinations.verbs import is_combination, run_combination
from evoplastic.cli.generate.split import add_split
from evoplastic.cli.generate.verb import add_generate
from evoplastic.cli.streams.classes import is_class_stream, run_class_stream
from evoplastic.cli.tasks_check import add_check_arguments, run_check_task, run_check_trial
from evoplastic.cli.tasks_env import (
    DEFAULT_DT_MS,
    add_preview,
    add_source_arguments,
    run_show_task,
)
from evoplastic.cli.verbs import add_json, add_trust, add_verb, print_json, print_table

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers
    from evoplastic.trials.table import TrialTable

DEFAULT_SUITE = "miconi2023"
TASK_HELP = (
    "name of a task, NeuroGym id, meta/NAME, my_task.py:MyTask, my_world.yaml, a combination of "
    "factors such as same-long-anti-b, or class-stream"
)
SUITE_HELP = "a suite, SUITE/FAMILY to hold that family out, or a YAML file"


def add_verbs(verbs: Subparsers) -> None:
    """Declare `tasks` and its verbs."""
    family = add_verb(
        verbs,
        "tasks",
        "list, describe, check, draw and generate tasks; check suites for held-out leaks",
        "evoplastic tasks list",
    ).add_subparsers(title="verbs", metavar="VERB", required=True)

    listing = add_verb(
        family,
        "list",
        "list all tasks; with --suite those of a suite, which are held out, and the levels to read "
        "scores against",
        """
        evoplastic tasks list
        evoplastic tasks list --suite miconi2023
        evoplastic tasks list --suite yang19/context --levels
        """,
        run_list,
    )
    listing.add_argument(
        "--levels",
        action="store_true",
        help="also sizes and levels of a self-paced suite, for which its trials are built",
    )
    show = add_verb(
        family,
        "show",
        "show what a task asks: every trial and the right answer, or what its author says",
        "evoplastic tasks show dms\nevoplastic tasks show nor --table published\n"
        "evoplastic tasks show yang19.dms --set dim_ring=4",
        run_show,
    )
    show.add_argument("task", metavar="TASK", help=TASK_HELP)
    add_source_arguments(show)
    check = add_verb(
        family,
        "check",
        "play a task and compare it with its trials; without TASK, refuse a suite whose held-out "
        "tasks, negated or renamed, are among its training tasks",
        """
        evoplastic tasks check --suite my_suite.yaml
        evoplastic tasks check dms
        evoplastic tasks check yang19.dms
        evoplastic tasks check my_task.py:MyTask
        evoplastic tasks check my_task.py:MyTask --trial 17 --seed 3
        evoplastic tasks check PerceptualDecisionMaking --set cohs=[0,25.6] --dt-ms 50
        """,
        run_check,
    )
    check.add_argument("task", nargs="?", metavar="TASK", help=TASK_HELP)
    add_source_arguments(check)
    add_check_arguments(check)
    listing.add_argument("--suite", metavar="NAME|FILE", help=f"{SUITE_HELP} (default: all tasks)")
    check.add_argument(
        "--suite",
        default=DEFAULT_SUITE,
        metavar="NAME|FILE",
        help=f"{SUITE_HELP} (default {DEFAULT_SUITE})",
    )
    for parser in (listing, check):
        add_trust(parser)
    for parser in (listing, show, check):
        parser.add_argument(
            "--table",
            metavar="TABLE",
            help="truth tables of two-stimulus tasks: intended, or published with its two mistakes",
        )
        add_json(parser)
    add_preview(family)
    add_generate(family)
    add_split(family)


def run_list(args: argparse.Namespace) -> int:
    """All tasks, or those of a suite with their levels."""
    trust.never_ask()
    from evoplastic.cli.tasks_suite import list_all, list_suite

    if args.suite is None and args.table is None:
        require(not args.levels, "--levels needs --suite: levels are those of a suite's tasks")
        return list_all(args.json)
    from tasks.suites.loading import load_suite

    suite = load_suite(args.suite or DEFAULT_SUITE, args.table)
    return list_suite(suite, levels=args.levels, as_json=args.json)


def run_show(args: argparse.Namespace) -> int:
    """One task: a two-stimulus task trial by trial, another one in its author's words."""
    from tasks.two_stimulus.task import NAMES, TwoStimulusTask

    if is_combination(args.task):
        return run_combination(args)
    if is_class_stream(args.task):
        return run_class_stream(args, levels=False)
    if args.task not in NAMES:
        return run_show_task(args)
    _require_as_it_is(args)
    from tasks.suites.describe import describe_task

    table = args.table or "intended"
    task = TwoStimulusTask(args.task, table)
    bank = task.trials()
    trials: list[dict[str, Any]] = [
        {
            "shown": _shown(bank, entry),
            "answer": int(bank.fixed.target_action_M[entry]),
            "reward": [float(reward) for reward in bank.fixed.reward_MO[entry]],
        }
        for entry in range(len(bank.kind_M))
    ]
    timing = bank.fixed.timing
    if args.json:
        print_json({**describe_task(args.task, table), "trials": trials})
        return exits.DONE
    print(f"{task.name}: {task.description}")
    print_table(
        ("trial", "shown", "right answer", "reward by answer"),
        [
            (
                str(number),
                ", ".join(trial["shown"]),
                str(trial["answer"]),
                " ".join(f"{reward:g}" for reward in trial["reward"]),
            )
            for number, trial in enumerate(trials)
        ],
    )
    print(
        f"A trial lasts {timing.num_steps} steps of {timing.dt_ms:g} ms. Shown are the input "
        f"lines with their times; the answer is read from {_span(bank, timing.response)}, "
        f"the outcome comes from {_span(bank, timing.feedback)}."
    )
    return exits.DONE


def run_check(args: argparse.Namespace) -> int:
    """Play a task, or load a suite (loading is the check); say what was found."""
    require(args.actions is None or args.trial is not None, "--actions needs --trial")
    if args.trial is not None:
        require(
            args.task is not None, "--trial needs a task: evoplastic tasks check TASK --trial N"
        )
        require(
            not is_class_stream(args.task),
            f"trials of {args.task} run no code of yours, so none raises; leave --trial out",
        )
        return run_check_trial(args)
    if args.task is not None:
        from tasks.two_stimulus.task import NAMES

        if is_combination(args.task):
            return run_combination(args)
        if is_class_stream(args.task):
            return run_class_stream(args, levels=True)
        return _check_task(args) if args.task in NAMES else run_check_task(args)
    from evoplastic.cli.tasks_suite import check_suite
    from tasks.suites.loading import load_suite

    return check_suite(load_suite(args.suite, args.table), as_json=args.json)


def _check_task(args: argparse.Namespace) -> int:
    from evoplastic.checks import EnvironmentFault
    from tasks.suites.describe import check_task

    _require_as_it_is(args)
    found = check_task(args.task, args.table or "intended")
    if args.json:
        print_json(found)
    else:
        print_table(
            ("", ""), [(name.replace("_", " "), str(value)) for name, value in found.items()]
        )
    for promise in ("bank_equals_environment", "deterministic"):
        if not found[promise]:
            raise EnvironmentFault(
                f"task {args.task!r} breaks the promise {promise.replace('_', ' ')}; check the "
                "installed version of neurogym against constraints.txt"
            )
    return exits.DONE


def _require_as_it_is(args: argparse.Namespace) -> None:
    require(
        not args.set and args.dt_ms == DEFAULT_DT_MS,
        f"{args.task} is a two-stimulus task, which takes no --set and has steps of "
        f"{DEFAULT_DT_MS} ms; evoplastic/TwoStimulus-{args.task} is the same, self-paced, and "
        "takes both",
    )


def _shown(bank: TrialTable, entry: int) -> list[str]:
    """Stretches of constant, non-zero input, as "+1 -1 at 0-160 ms"."""
    stimulus_TI = bank.fixed.stimulus_MTI[entry]
    stretches = []
    start = 0
    for step in range(1, len(stimulus_TI) + 1):
        ends = step == len(stimulus_TI) or (stimulus_TI[step] != stimulus_TI[start]).any()
        if ends and stimulus_TI[start].any():
            lines = " ".join(f"{value:+g}" for value in stimulus_TI[start])
            stretches.append(f"{lines} at {_span(bank, (start, step))}")
        if ends:
            start = step
    return stretches


def _span(bank: TrialTable, steps: tuple[int, int]) -> str:
    start_ms, stop_ms = (step * bank.dt_ms for step in steps)
    return f"{start_ms:g}-{stop_ms:g} ms"
