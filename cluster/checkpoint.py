"""Checkpoints: the search after a generation, whole or not at all, verified when read.

A checkpoint is the search's name and its named tensors; those of the first schema are read too.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from evoplastic.checks import UsageError, require
from evoplastic.storage import read_tensors, write_tensors

logger = logging.getLogger(__name__)

SCHEMA, FIRST_SCHEMA = "evoplastic/checkpoint/2", "evoplastic/checkpoint/1"
FIRST_SEARCH = "es"  # the only search that checkpoints of the first schema can be of
KEPT = 2  # the newest, and the one before in case the newest is damaged
_PATTERN = "gen_*.safetensors"


@dataclass(frozen=True, kw_only=True)
class CheckpointMeta:
    """What a checkpoint belongs to."""

    run_id: str
    config_digest: str
    next_generation: int  # the first generation that this state does not contain


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A search after a generation, as named tensors."""

    search: str  # an entry of SEARCHES
    tensors: dict[str, Tensor]
    meta: CheckpointMeta
    schema: str = SCHEMA  # with the first one, the digest is over the keys of that time


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> Path:
    """Write `gen_<next generation>.safetensors`, then drop all but the newest two.

    Raises:
        EnvironmentFault: no space or no permission; older checkpoints are untouched.
    """
    meta, tensors = checkpoint.meta, checkpoint.tensors
    header = {
        "schema": SCHEMA,
        "search": checkpoint.search,
        "meta": asdict(meta),
        "sha256": _digest(tensors, meta, checkpoint.search),
    }
    path = directory / f"gen_{meta.next_generation:08d}.safetensors"
    write_tensors(path, tensors, header)
    for old in sorted(directory.glob(_PATTERN))[:-KEPT]:
        old.unlink()
    return path


def load_checkpoint(directory: Path) -> Checkpoint:
    """The newest checkpoint that is whole; a damaged one is named in a warning and passed over.

    Raises:
        UsageError: no checkpoint is there, or none is whole (naming the files).
    """
    for leftover in directory.glob(".*.tmp"):
        leftover.unlink()
    paths = sorted(directory.glob(_PATTERN), reverse=True)
    require(len(paths) > 0, f"no checkpoint in {directory}; start the run anew")
    errors = []
    for path in paths:
        try:
            return _read(path)
        except UsageError as error:
            errors.append(str(error))
            logger.warning("%s; trying the one before", error)
    raise UsageError("no whole checkpoint is left: " + "; ".join(errors))


def _read(path: Path) -> Checkpoint:
    tensors, header = read_tensors(path, (SCHEMA, FIRST_SCHEMA), "checkpoint")
    is_first = header["schema"] == FIRST_SCHEMA
    try:
        meta = CheckpointMeta(**header["meta"])
        search = FIRST_SEARCH if is_first else str(header["search"])
        count = meta.next_generation
        require(type(count) is int and count >= 0, f"next_generation is {count!r}")
    except (KeyError, TypeError, UsageError) as error:
        raise UsageError(f"{path} is no whole checkpoint: {error}") from error
    require(
        header.get("sha256") == _digest(tensors, meta, None if is_first else search),
        f"{path} is corrupt: its content does not match its checksum",
    )
    return Checkpoint(search=search, tensors=tensors, meta=meta, schema=header["schema"])


def _digest(tensors: dict[str, Tensor], meta: CheckpointMeta, search: str | None) -> str:
    content = hashlib.sha256(repr(sorted(asdict(meta).items())).encode())
    if search is not None:
        content.update(repr(search).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        content.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
        content.update(tensor.numpy().tobytes())
    return content.hexdigest()
