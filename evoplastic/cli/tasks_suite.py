"""tasks list | check of suites, and the list of all tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from evoplastic.cli import exits
from evoplastic.cli.tasks_env import percent
from evoplastic.cli.verbs import print_json, print_table
from evoplastic.trust import Untrusted
from evoplastic.watching import watched

if TYPE_CHECKING:
    from tasks.suites.split import SuiteTask
    from tasks.suites.suite import Suite


def list_all(as_json: bool) -> int:
    """Every task there is, and the suites that come with the package."""
    from tasks.suites.catalogue import all_tasks
    from tasks.suites.loading import known_suites

    tasks = all_tasks()
    if as_json:
        print_json({"tasks": [entry._asdict() for entry in tasks], "known_suites": known_suites()})
        return exits.DONE
    print_table(
        ("task", "from", "asks"),
        [(entry.task, entry.origin, entry.description or "-") for entry in tasks],
        title=f"{len(tasks)} tasks",
    )
    print(
        "\nCombinations of factors are tasks by name too, such as same-long-anti-b.\n"
        f"A task of your own: my_task.py:MyTask. Suites: {', '.join(known_suites())} "
        "(evoplastic tasks list --suite NAME)"
    )
    return exits.DONE


def list_suite(suite: Suite, *, levels: bool, as_json: bool) -> int:
    """The tasks of a suite, with what simple policies reach where that costs nothing or is asked.

    Self-paced tasks have levels only with `levels`, which builds their trials.
    """
    from tasks.suites.loading import known_suites

    levels = levels or not suite.self_paced
    rows = [_row(suite, task, levels=levels) for task in (*suite.held_out, *suite.train)]
    if as_json:
        families = {name: list(tasks) for name, tasks in suite.families.items()}
        print_json(
            {
                "suite": suite.name,
                "pacing": suite.pacing,
                "held_out_families": list(suite.held_out_families),
                "families": families,
                "known_suites": known_suites(),
                "tasks": rows,
            }
        )
        return exits.DONE
    title = f"Suite {suite.name}: {suite.description}"
    if not suite.self_paced:
        _print_asked(rows, title)
    elif levels:
        _print_levels(rows, title)
    else:
        print_table(
            ("task", "role", "family", "asks"),
            [(row["task"], _role(row), row["family"] or "-", row["description"]) for row in rows],
            title=title,
        )
    if suite.families:
        file = suite.name.partition("/")[0]
        print(
            f"\nHold out another family by name: {', '.join(f'{file}/{f}' for f in suite.families)}"
        )
    if not levels:
        print("Sizes, chance and the levels of simple policies: --levels")
    print(f"Known suites: {', '.join(known_suites())}")
    return exits.DONE


def check_suite(suite: Suite, *, as_json: bool) -> int:
    """Build trials of every task, compare held-out with training tasks, and say what was found."""
    from tasks.suites.levels import close_held_out

    with watched(f"checking suite {suite.name}"):
        rows = [_row(suite, task, levels=True) for task in (*suite.held_out, *suite.train)]
        interface, close_pairs = suite.interface, list(close_held_out(suite))
    if as_json:
        print_json(
            {
                "suite": suite.name,
                "pacing": suite.pacing,
                "digest": suite.digest,
                "interface": {
                    "num_inputs": interface.num_inputs,
                    "num_outputs": interface.num_outputs,
                },
                "train": [task.name for task in suite.train],
                "held_out": [task.name for task in suite.held_out],
                "train_aliases": [list(pair) for pair in suite.train_aliases],
                "tasks": rows,
            }
        )
        return exits.DONE
    _print_levels(rows, f"Suite {suite.name}: {suite.description}")
    print(
        f"\nsuite {suite.name} is sound: {len(suite.train)} training tasks, "
        f"{len(suite.held_out)} held out ({', '.join(task.name for task in suite.held_out)}), "
        f"no leak; {interface.num_inputs} inputs, {interface.num_outputs} actions; "
        f"digest {suite.digest}"
    )
    if suite.groups:
        counts = Counter(suite.groups.values())
        told = ", ".join(f"{group}: {count}" for group, count in counts.items())
        print(f"held-out tasks by group: {told}")
    if suite.uncompared:
        print(
            f"note: {', '.join(suite.uncompared)} have too many states to be known under other "
            "names; their trials are compared as they stand"
        )
    for first, second in suite.train_aliases:
        print(f"note: training tasks {first} and {second} ask the same")
    for name, close in close_pairs:
        print(
            f"warning: what answers training task {close.task} is right in "
            f"{close.agreement:.0%} of the trials of held-out task {name}; there is little left to "
            "learn"
        )
    return exits.DONE


def _row(suite: Suite, task: SuiteTask, *, levels: bool) -> dict[str, Any]:
    from tasks.suites.levels import closest_train, levels_of, policies

    families = {name: family for family, names in suite.families.items() for name in names}
    row: dict[str, Any] = {
        "task": task.name,
        "source": task.source,
        "settings": dict(task.settings),
        "role": suite.role(task.name),
        "family": families.get(task.name),
        "group": suite.groups.get(task.name),
        "description": _description(task),
    }
    if not levels:
        return row
    table, close, judged = (
        suite.sample(task.name),
        closest_train(suite, task.name),
        levels_of(suite, task.name),
    )
    return {
        **row,
        "path": task.path,
        "num_inputs": table.interface.num_inputs,
        "num_outputs": table.interface.num_outputs,
        "max_steps": table.num_steps,
        "chance": judged.chance,
        "fixed_policy_level": judged.fixed_policy,
        "has_answers": table.has_answers,
        "levels": {
            name: value._asdict() for name, value in policies(suite, task.name)._asdict().items()
        },
        "best_adaptive": _best_adaptive(task),
        "closest_train": None if close is None else {**close._asdict(), "is_high": close.is_high},
    }


def _best_adaptive(task: SuiteTask) -> dict[str, Any] | None:
    from tasks.neurogym.task import SelfPacedTask

    found = task.best_adaptive if isinstance(task, SelfPacedTask) else None
    return None if found is None else found._asdict()


def _description(task: SuiteTask) -> str:
    """What the suite says of a task, else its author."""
    from tasks.neurogym.task import SelfPacedTask

    if task.about or not isinstance(task, SelfPacedTask):
        return task.description
    from tasks.neurogym.environments import find_source
    from tasks.suites.catalogue import describe_source

    try:
        said = describe_source(find_source(task.source, task.settings, int(task.dt_ms)))
    except Untrusted:
        return f"{task.source}: code that was not run; read it, then give --trust"
    settings = ", ".join(f"{key}={value}" for key, value in task.settings.items())
    return f"{said} ({settings})" if said and settings else said or task.description


def _print_asked(rows: list[dict[str, Any]], title: str) -> None:
    grouped = any(row["group"] for row in rows)
    print_table(
        ("task", "role", *(("group",) if grouped else ()), "chance", "fixed policy", "asks"),
        [
            (
                row["task"],
                _role(row),
                *((row["group"] or "-",) if grouped else ()),
                f"{row['chance']:.0%}",
                f"{row['fixed_policy_level']:.0%}",
                row["description"],
            )
            for row in rows
        ],
        title=title,
    )


def _print_levels(rows: list[dict[str, Any]], title: str) -> None:
    """With the best adaptive level where some task has one, and groups where there are some."""
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        "task": lambda row: row["task"],
        "role": _role,
        "group": lambda row: row["group"] or "-",
        "path": lambda row: row["path"],
        "in": lambda row: str(row["num_inputs"]),
        "out": lambda row: str(row["num_outputs"]),
        "steps": lambda row: str(row["max_steps"]),
        "chance": lambda row: percent(row["chance"]),
        "fixed policy": lambda row: percent(row["fixed_policy_level"]),
        "reward: chance": lambda row: f"{row['levels']['chance']['reward']:.2f}",
        "fixed": lambda row: f"{row['levels']['best_fixed']['reward']:.2f}",
        "best adaptive": lambda row: _adaptive(row["best_adaptive"]),
        "oracle": lambda row: f"{row['levels']['oracle']['reward']:.2f}",
        "closest training task": lambda row: _closest(row["closest_train"]),
    }
    for optional, key in (("group", "group"), ("best adaptive", "best_adaptive")):
        if not any(row[key] for row in rows):
            del columns[optional]
    cells = [tuple(cell(row) for cell in columns.values()) for row in rows]
    print_table(tuple(columns), cells, title=title)


def _adaptive(level: dict[str, Any] | None) -> str:
    """A lower bound as such; "-" where there is nothing to find out."""
    if level is None:
        return "-"
    return f"{'≥ ' if level['how'] == 'at least' else ''}{level['reward']:.2f}"


def _closest(close: dict[str, Any] | None) -> str:
    return "-" if close is None else f"{close['task']} {close['agreement']:.0%}"


def _role(row: dict[str, Any]) -> str:
    return str(row["role"]).replace("_", "-")
