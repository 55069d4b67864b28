"""The file of generated meta-tasks: what was asked, why others fell, levels, and the meta-tasks.

Its levels are read back where they hold: finding out what the best adaptive policy reaches takes
a second for each meta-task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from evoplastic.reading import parse_yaml
from evoplastic.storage import write_atomically
from tasks.machines.adaptive.level import Adaptive
from tasks.machines.generated.canonical import canonical_form
from tasks.machines.generated.filters import REASONS, Kept
from tasks.machines.generated.generating import Generated
from tasks.machines.metatasks.collection import as_collection, header_of
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.metatasks.writing import as_text

DIGITS = 4  # of levels


def write_generated(found: Generated, path: Path) -> None:
    """Write a collection (`tasks.machines.metatasks.collection`).

    Raises:
        EnvironmentFault: it could not be written.
    """
    write_atomically(path, text_of(found).encode())


def text_of(found: Generated) -> str:
    """The text of a collection: the same for the same request."""
    import yaml

    header = yaml.safe_dump(summary(found), sort_keys=False, default_flow_style=None, width=98)
    tasks = (replace(each.task, about=_about(each)) for each in found.kept)
    return as_collection(header, map(as_text, tasks))


def summary(found: Generated) -> dict[str, Any]:
    """In plain values: what was asked, what fell, and the levels of what was kept."""
    request = found.request
    return {
        "generated": {
            "count": len(found.kept),
            "seed": request.seed,
            "gap": request.gap,
            "trial_steps": request.trial_steps,
            "instance_trials": request.instance_trials,
            "drawn": found.drawn,
        },
        "fell": {REASONS[reason]: count for reason, count in found.fell.items()},
        "levels": {
            each.task.name: {
                "fixed": round(each.levels.fixed, DIGITS),
                "adaptive": round(each.levels.adaptive, DIGITS),
                "how": each.levels.how,
                "standard_error": round(each.levels.standard_error, DIGITS),
                "oracle": round(each.levels.oracle, DIGITS),
                "difficulty": round(each.levels.difficulty, DIGITS),
                "form": each.form,
            }
            for each in found.kept
        },
    }


def noted_adaptive(text: str, task: MetaTask) -> Adaptive | None:
    """The best adaptive level that a collection notes of one of its meta-tasks.

    Args:
        text: of the collection.
        task: the meta-task as it is used, its numbers perhaps set anew.

    Returns:
        The level; None where none is noted, or where it is of another task, of trials of another
        length or of instances of another number of trials.
    """
    found = _noted(text)
    asked, noted = found.get("generated") or {}, (found.get("levels") or {}).get(task.name)
    same = (asked.get("trial_steps"), asked.get("instance_trials"), 0.0) == (
        task.trial_steps,
        task.instance_trials,
        task.switch,
    )
    if noted is None or not same or noted.get("form") != canonical_form(task.machine()):
        return None
    return Adaptive(float(noted["adaptive"]), noted["how"], float(noted["standard_error"]))


@lru_cache(maxsize=4)
def _noted(text: str) -> Mapping[str, Any]:
    header = header_of(text)
    found = None if header is None else parse_yaml(header, "the header of generated meta-tasks")
    return found if isinstance(found, dict) else {}


def _about(kept: Kept) -> str:
    levels = kept.levels
    how = "" if levels.how == "exact" else "at least "
    return (
        f"A generated world; best fixed policy {levels.fixed:.2f}, best adaptive "
        f"{how}{levels.adaptive:.2f}, difficulty {levels.difficulty:.2f}."
    )
