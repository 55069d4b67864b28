"""The run of a tracking store that holds the runs of a sweep: made once, whoever comes first.

Drivers of one sweep, on one machine or on many, ask for it at the same time. A lock in the sweep's
directory lets one of them at it; its id is kept there, for each store and experiment.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from cluster.journal import now_ms
from cluster.sweep.record import SweepRecord, locked
from cluster.tracking.mlflow_store import MlflowStore, RunState
from evoplastic.checks import UsageError
from evoplastic.commands import command
from evoplastic.naming import short_keys
from evoplastic.reading import parse_object, read_text
from evoplastic.storage import write_atomically

logger = logging.getLogger(__name__)

PARENTS_NAME = "sweep-tracking.json"  # {uri: {experiment: MLflow run id}}
MOST_NAMED = 40  # values of a key that a note shows


def open_parent(
    store: MlflowStore, uri: str, experiment: str, root: Path, sweep: SweepRecord
) -> str:
    """MLflow's id of the run that holds a sweep's runs, found or made.

    Args:
        store: an open store.
        uri: its address.
        experiment: the experiment that it was opened with.
        root: directory of the sweep.
        sweep: the sweep.

    Raises:
        UsageError: the directory may not be written.
        EnvironmentFault: it stays locked.
        Exception: whatever the store raises.
    """
    with locked(root):
        parents = _read(root)
        known = parents.get(uri, {}).get(experiment)
        found = store.open_parent(sweep.sweep_id, _name(sweep), known)
        if found != known:
            parents.setdefault(uri, {})[experiment] = found
            content = json.dumps(parents, indent=2, sort_keys=True)
            write_atomically(root / PARENTS_NAME, content.encode())
            store.log_points(found, [], _tags(root, sweep))
    return found


def settle_parent(
    uri: str, experiment: str, root: Path, sweep: SweepRecord, state: RunState, files: list[Path]
) -> None:
    """Tell how a sweep stands, with its present values, and add files to it.

    Raises:
        Exception: whatever the store raises.
    """
    store = MlflowStore(uri, experiment)
    parent = open_parent(store, uri, experiment, root, sweep)
    store.log_points(parent, [], _tags(root, sweep))
    for file in files:
        store.log_file(parent, file, "")
    store.set_state(parent, state, now_ms())


def _name(sweep: SweepRecord) -> str:
    return f"{sweep.name} over {', '.join(short_keys(sweep.keys))}"


def _tags(root: Path, sweep: SweepRecord) -> dict[str, str]:
    values = [
        list(dict.fromkeys(texts[number] for texts in sweep.runs.values()))
        for number in range(len(sweep.keys))
    ]
    lines = [
        f"{len(sweep.runs)} runs of `{sweep.recipe}`, in `{root.absolute()}`",
        "",
        *(
            f"- `{key}`: {', '.join(texts[:MOST_NAMED])}{', …' if len(texts) > MOST_NAMED else ''}"
            for key, texts in zip(sweep.keys, values, strict=True)
        ),
        "",
        f"    {command('analyze', root, anywhere=True)}",
        "",
    ]
    return {"mlflow.note.content": "\n".join(lines)}


def _read(root: Path) -> dict[str, dict[str, Any]]:
    """The ids that were kept; what is damaged counts as none, the store knows its own."""
    file = root / PARENTS_NAME
    if not file.exists():
        return {}
    try:
        values = parse_object(read_text(file, "file"), str(file))
    except UsageError as error:
        logger.warning("%s; looking for the sweep's run in the store", error)
        return {}
    return {
        uri: {name: run_id for name, run_id in each.items() if isinstance(run_id, str)}
        for uri, each in values.items()
        if isinstance(each, dict)
    }
