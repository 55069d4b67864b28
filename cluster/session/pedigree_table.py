"""A pedigree as a table in Parquet: a row for each individual and generation in which it lived."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from evoplastic.records.names import NOT_RECORDED, PEDIGREE_SCHEMA

GENERATIONS = 64  # that make a row group


def table_of(lines: Iterable[dict[str, Any]], run_id: str) -> bytes:
    """A Parquet file of the lines of a pedigree, the oldest first.

    Columns: `generation`; `individual`; `parents`, a list, whoever gave most numbers first;
    `shares`, of the numbers that may mutate, which are from each parent; `operator`; `born`, the
    generation that made it; `loss`, mean over its lifetimes in this generation, which selection
    makes small; `kept`, whether it is among those kept after it; `center`, whether it stands for
    the search then. Where the birth of an individual is not written down (any more), `operator` is
    "not recorded", `born` is missing and there are no parents.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = pa.schema(
        [
            ("generation", pa.int32()),
            ("individual", pa.int64()),
            ("parents", pa.list_(pa.int64())),
            ("shares", pa.list_(pa.float64())),
            ("operator", pa.string()),
            ("born", pa.int32()),
            ("loss", pa.float64()),
            ("kept", pa.bool_()),
            ("center", pa.bool_()),
        ],
        {"evoplastic": json.dumps({"schema": PEDIGREE_SCHEMA, "run_id": run_id})},
    )
    file = io.BytesIO()
    with parquet.ParquetWriter(file, schema) as writer:
        rows: list[dict[str, Any]] = []
        for number, of_generation in enumerate(_rows(lines), start=1):
            rows += of_generation
            if number % GENERATIONS == 0:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        if rows:
            writer.write_table(pa.Table.from_pylist(rows, schema))
    return file.getvalue()


def _rows(lines: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The rows of each generation; whoever lived before is told of as at its birth."""
    births: dict[int, dict[str, Any]] = {}
    unknown: dict[str, Any] = {"parents": [], "shares": [], "operator": NOT_RECORDED, "born": None}
    for line in lines:
        rows = []
        for at, individual in enumerate(line["individual"]):
            birth = births.get(individual, unknown)
            if line["operator"][at]:
                birth = {
                    "parents": line["parents"][at],
                    "shares": [given / line["numbers"] for given in line["given"][at]],
                    "operator": line["operator"][at],
                    "born": line["generation"],
                }
            if line["kept"][at]:
                births[individual] = birth
            else:  # it will not live again
                births.pop(individual, None)
            rows.append(
                {
                    "generation": line["generation"],
                    "individual": individual,
                    **birth,
                    "loss": line["loss"][at],
                    "kept": bool(line["kept"][at]),
                    "center": individual == line["center"],
                }
            )
        yield rows
