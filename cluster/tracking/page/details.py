"""Every metric of a run in one table: what its page in MLflow leaves out, for pandas and others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evoplastic.records import Event, metric_events

NAME = "metrics.parquet"
FOLDER = "details"  # among the artifacts


def write_details(events: Iterable[Event], folder: Path) -> Path:
    """Write a Parquet file of all metrics of a journal; columns: generation, time_ms, metric,
    value.

    Raises:
        OSError: the folder cannot be written.
    """
    import pandas as pd

    rows = [
        (generation, time_ms, name, value)
        for time_ms, generation, metrics in metric_events(events)
        for name, value in metrics.items()
    ]
    table = pd.DataFrame(rows, columns=["generation", "time_ms", "metric", "value"])
    table["metric"] = table["metric"].astype("category")
    file = folder / NAME
    table.to_parquet(file, index=False)
    return file
