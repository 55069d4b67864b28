"""The file of generated meta-tasks: what was asked, why others fell, levels, and the meta-tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from evoplastic.storage import write_atomically
from tasks.machines.generated.filters import REASONS, Kept
from tasks.machines.generated.generating import Generated
from tasks.machines.metatasks.collection import as_collection
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


def _about(kept: Kept) -> str:
    levels = kept.levels
    how = "" if levels.how == "exact" else "at least "
    return (
        f"A generated world; best fixed policy {levels.fixed:.2f}, best adaptive "
        f"{how}{levels.adaptive:.2f}, difficulty {levels.difficulty:.2f}."
    )
