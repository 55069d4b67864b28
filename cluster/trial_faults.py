"""Trials of users' tasks that raised, in a run: the first of each task is kept in its directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evoplastic.commands import quoted
from evoplastic.metric_names import metric_word
from evoplastic.storage import write_atomically
from evoplastic.trials.faults import Faults

FOLDER = "faults"


def keep_first(run_dir: Path, found: Mapping[str, Faults]) -> list[str]:
    """Write the first fault of each task that has none kept yet; a sentence for each written.

    `faults/TASK.txt` holds which trial it was, the command that shows it again and the traceback;
    `faults/TASK.actions` what was done before in an environment that is stepped.

    Raises:
        EnvironmentFault: no space or no permission.
    """
    told = []
    for task, faults in found.items():
        fault, word = faults.first, metric_word(task)
        file, actions = (run_dir / FOLDER / f"{word}.{end}" for end in ("txt", "actions"))
        if file.exists():
            continue
        file.parent.mkdir(exist_ok=True)
        again = fault.command
        if fault.actions is not None:
            write_atomically(actions, " ".join(map(str, fault.actions)).encode())
            again += f" --actions {quoted(str(actions))}"
        text = f"{fault.summary}\n\nTo see it again:\n{again}\n\n{fault.traceback}"
        write_atomically(file, text.encode("utf-8", errors="backslashreplace"))
        told.append(f"{fault.summary}; it was left out, and {file} says how to see it again")
    return told
