"""Checkpoints: the search state after a generation, whole or not at all, verified when read."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from evoplastic.checks import UsageError, require
from evoplastic.search.es import SearchState
from evoplastic.storage import read_tensors, write_tensors

logger = logging.getLogger(__name__)

SCHEMA = "evoplastic/checkpoint/1"
KEPT = 2  # the newest, and the one before in case the newest is damaged
_PATTERN = "gen_*.safetensors"


@dataclass(frozen=True, kw_only=True)
class CheckpointMeta:
    """What a checkpoint belongs to."""

    run_id: str
    config_digest: str
    next_generation: int  # the first generation that this state has not lived


def save_checkpoint(directory: Path, state: SearchState, meta: CheckpointMeta) -> Path:
    """Write `gen_<next generation>.safetensors`, then drop all but the newest two.

    Raises:
        EnvironmentFault: no space or no permission; older checkpoints are untouched.
    """
    tensors = dict(state._asdict())
    header = {
        "schema": SCHEMA,
        "meta": asdict(meta),
        "sha256": _digest(tensors, meta),
    }
    path = directory / f"gen_{meta.next_generation:08d}.safetensors"
    write_tensors(path, tensors, header)
    for old in sorted(directory.glob(_PATTERN))[:-KEPT]:
        old.unlink()
    return path


def load_checkpoint(directory: Path) -> tuple[SearchState, CheckpointMeta]:
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


def _read(path: Path) -> tuple[SearchState, CheckpointMeta]:
    tensors, header = read_tensors(path, SCHEMA, "checkpoint")
    try:
        meta = CheckpointMeta(**header["meta"])
        state = SearchState(**tensors)
    except (KeyError, TypeError) as error:
        raise UsageError(f"{path} is no whole checkpoint: {error}") from error
    require(
        header.get("sha256") == _digest(tensors, meta),
        f"{path} is corrupt: its content does not match its checksum",
    )
    return state, meta


def _digest(tensors: dict[str, Tensor], meta: CheckpointMeta) -> str:
    content = hashlib.sha256(repr(sorted(asdict(meta).items())).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        content.update(repr((name, str(tensor.dtype), tuple(tensor.shape))).encode())
        content.update(tensor.numpy().tobytes())
    return content.hexdigest()
