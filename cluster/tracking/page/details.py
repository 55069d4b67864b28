"""Every metric of a run in one table: what its page in MLflow leaves out, for pandas and others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evoplastic.records.events import Event, metric_events

NAME = "metrics.parquet"
FOLDER = "details"  # among the artifacts


def write_details(events: Iterable[Event], folder: Path) -> Path:
    """Write a Parquet file of all metrics of a journal; columns: generation, time_ms, metric,
    value.

    Raises:
        OSError: the folder cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    rows = [
        {"generation": generation, "time_ms": time_ms, "metric": name, "value": value}
        for time_ms, generation, metrics in metric_events(events)
        for name, value in metrics.items()
    ]
    columns = [("generation", pa.int64()), ("time_ms", pa.int64())]
    columns += [("metric", pa.string()), ("value", pa.float64())]
    file = folder / NAME
    parquet.write_table(pa.Table.from_pylist(rows, pa.schema(columns)), file)
    return file
