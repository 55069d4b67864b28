"""Say and count a trial that raised, with the command that shows it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evoplastic.commands import command
from evoplastic.trials.faults import TrialFault, note
from tasks.neurogym.environments import DEFAULT_DT_MS, EnvSource
from tasks.neurogym.faults.raised import Raised
from tasks.neurogym.sources.user_file import split_file


def report(
    source: EnvSource, seed: int, raised: Raised, actions: Sequence[int] | None = None
) -> None:
    """Note a trial that was left out.

    Args:
        source: the task.
        seed: of the environment that drew the trial.
        raised: which trial, and what it raised.
        actions: all that were taken in this environment before, where it is stepped for real.
    """
    note(
        TrialFault(
            task=source.name,
            seed=seed,
            trial=raised.trial,
            where=raised.where,
            said=raised.said,
            traceback=raised.traceback,
            command=check_command(source, "--trial", raised.trial, "--seed", seed),
            actions=None if actions is None else tuple(actions),
        )
    )


def check_command(source: EnvSource, *words: object) -> str:
    """`evoplastic tasks check` of a task with its settings, as a line for a shell."""
    typed: Any = source.word or source.name
    in_file = split_file(typed)
    if in_file is not None and Path(typed.rpartition(":")[0]).is_absolute():
        typed = Path(typed)
    settings = [
        word
        for key, value in source.settings.items()
        for word in ("--set", f"{key}={json.dumps(value)}")
    ]
    step = ["--dt-ms", source.dt_ms] if source.dt_ms != DEFAULT_DT_MS else []
    return command("tasks", "check", typed, *settings, *step, *words)
