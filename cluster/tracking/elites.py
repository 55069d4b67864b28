"""The archive of a run by kinds of behaviour: a table of all elites, and the best as models.

Both are sent when a run is done, once. A model of an elite tells its cell as a tag and its
behaviour as parameters, so that elites of a kind are found by one search.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from cluster.tracking.mlflow_store import MlflowStore
from cluster.tracking.models import READY, Origin, deliver_file
from evoplastic.checks import UsageError
from evoplastic.reading import parse_object, read_text
from evoplastic.records.names import ARCHIVE_NAME, ELITES, GENOME_SUFFIX
from evoplastic.storage import read_header

MOST_MODELS = 16  # elites that become models, those of the lowest loss
FOLDER = "archive"  # among the artifacts
NAME = "elites.parquet"


class Elite(NamedTuple):
    """The best individual of one kind of behaviour."""

    cell: tuple[int, ...]
    behaviour: dict[str, float]  # by descriptor
    loss: float
    digest: str

    @property
    def file_name(self) -> str:
        """In the folder of elites."""
        return "_".join(["cell", *(f"{each:03d}" for each in self.cell)]) + GENOME_SUFFIX


def read_archive(run_dir: Path) -> tuple[int, list[Elite]] | None:
    """Generation and elites of a run's archive, lowest loss first; None where it keeps none.

    Raises:
        UsageError: a damaged file.
    """
    path = run_dir / ARCHIVE_NAME
    if not path.is_file():
        return None
    told = parse_object(read_text(path, "archive"), str(path))
    try:
        names = [str(axis["name"]) for axis in told["axes"]]
        elites = [
            Elite(
                tuple(int(each) for each in elite["cell"]),
                dict(zip(names, map(float, elite["behaviour"]), strict=True)),
                float(elite["loss"]),
                str(elite["genome"]),
            )
            for elite in told["elites"]
        ]
        return int(told["generation"]), sorted(elites, key=lambda elite: elite.loss)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} holds no archive ({error}); restore the file") from error


def deliver_elites(store: MlflowStore, origin: Origin) -> None:
    """Send the table of a run's elites, and the best of them as models, unless they are there.

    Raises:
        Exception: whatever the store raises.
    """
    try:
        found = read_archive(origin.run_dir)
    except UsageError:  # damaged: the other records go on
        return
    if found is None:
        return
    generation, elites = found
    with tempfile.TemporaryDirectory(prefix="evoplastic-") as folder:
        store.log_file(origin.mlflow_run_id, _table(elites, Path(folder) / NAME), FOLDER)
    for elite in elites[:MOST_MODELS]:
        file = origin.run_dir / "genomes" / ELITES / elite.file_name
        try:
            header = read_header(file, "genome")
        except UsageError:  # not kept, for want of room, or damaged
            continue
        if header.get("digest") == elite.digest:
            _deliver(store, origin, generation, elite, file)


def _deliver(store: MlflowStore, origin: Origin, generation: int, elite: Elite, file: Path) -> None:
    params = {name: f"{value:g}" for name, value in elite.behaviour.items()}
    model = deliver_file(
        store,
        origin,
        file,
        generation,
        cell=",".join(map(str, elite.cell)),
        params={**params, "loss": f"{elite.loss:g}"},
    )
    if model.status.name != READY:
        store.client.finalize_logged_model(model.model_id, READY)


def _table(elites: list[Elite], file: Path) -> Path:
    """A row for each elite: cell, behaviour, loss and the digest of its genome."""
    import pyarrow as pa
    from pyarrow import parquet

    rows: list[dict[str, Any]] = [
        {
            **{f"cell_{at}": bin_ for at, bin_ in enumerate(elite.cell)},
            **elite.behaviour,
            "loss": elite.loss,
            "genome": elite.digest,
        }
        for elite in elites
    ]
    parquet.write_table(pa.Table.from_pylist(rows), file)
    return file
