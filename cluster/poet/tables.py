"""What a run of POET writes down for readers: two tables in Parquet, and a file of meta-tasks."""

from __future__ import annotations

import io
import json
from typing import Any

from cluster.poet.environments import Environment, PoetState, name_of
from evoplastic.records.names import POET_SCHEMA
from tasks.machines.metatasks.collection import as_collection
from tasks.machines.metatasks.writing import as_text, to_plain


def environments_table(state: PoetState, run_id: str) -> bytes:
    """A row for each environment, archived ones too.

    Columns: `environment` and `parent`, names (a first one has no parent); `born`, `retired` and
    `solved`, generations; `solver`, the environment whose genome solved it; `novelty` at birth;
    `counts`, for ANNECS once solved; `score`, the latest of its own genome; the levels that scores
    are read against; `difficulty`; `form`, alike for those that differ in names alone; `states`,
    `steps`; `specification`, the meta-task as JSON that `evoplastic tasks` reads.
    """
    import pyarrow as pa

    number, text, truth = pa.float64(), pa.string(), pa.bool_()
    schema = pa.schema(
        [
            ("environment", text),
            ("parent", text),
            ("born", pa.int64()),
            ("retired", pa.int64()),
            ("solved", pa.int64()),
            ("solver", text),
            ("novelty", number),
            ("counts", truth),
            ("score", number),
            ("fixed", number),
            ("adaptive", number),
            ("how", text),
            ("oracle", number),
            ("difficulty", number),
            ("form", text),
            ("states", pa.int64()),
            ("steps", pa.int64()),
            ("specification", text),
        ],
        _metadata(run_id),
    )
    return _parquet([_row(each) for each in state.environments], schema)


def transfers_table(state: PoetState, run_id: str) -> bytes:
    """A row for each genome that was tried in an environment: the best of a kind each time.

    Columns: `generation`; `source` and `target`, names of environments; `kind`: direct, step (after
    a step of the search there), or birth (the genome that a child begins with); `score`;
    `incumbent`, the score that it had to exceed; `accepted`, whether it took over.
    """
    import pyarrow as pa

    schema = pa.schema(
        [
            ("generation", pa.int64()),
            ("source", pa.string()),
            ("target", pa.string()),
            ("kind", pa.string()),
            ("score", pa.float64()),
            ("incumbent", pa.float64()),
            ("accepted", pa.bool_()),
        ],
        _metadata(run_id),
    )
    rows = [
        each._asdict() | {"source": name_of(each.source), "target": name_of(each.target)}
        for each in state.transfers
    ]
    return _parquet(rows, schema)


def environments_file(state: PoetState, run_id: str) -> str:
    """A collection of meta-tasks: `environments.yaml:e7` is one of them wherever a file may be."""
    import yaml

    header = {"evolved": {"run": run_id, "environments": len(state.environments)}}
    return as_collection(
        yaml.safe_dump(header, sort_keys=False), (as_text(each.task) for each in state.environments)
    )


def _row(each: Environment) -> dict[str, Any]:
    levels = each.levels
    return {
        "environment": each.name,
        "parent": None if each.parent is None else name_of(each.parent),
        "born": each.born,
        "retired": each.retired,
        "solved": each.solved,
        "solver": None if each.solver is None else name_of(each.solver),
        "novelty": each.novelty,
        "counts": each.counts,
        "score": each.recent[-1] if each.recent else None,
        "fixed": levels.fixed,
        "adaptive": levels.adaptive,
        "how": levels.how,
        "oracle": levels.oracle,
        "difficulty": levels.difficulty,
        "form": each.form,
        "states": len(each.task.states),
        "steps": each.task.num_steps,
        "specification": json.dumps(to_plain(each.task)),
    }


def _metadata(run_id: str) -> dict[str, str]:
    return {"evoplastic": json.dumps({"schema": POET_SCHEMA, "run_id": run_id})}


def _parquet(rows: list[dict[str, Any]], schema: Any) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), file)
    return file.getvalue()
