"""Files of named tensors with a JSON header: written whole or not at all, read without pickle."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from evoplastic.checks import EnvironmentFault, UsageError, require


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write a safetensors file; `header` is kept as one JSON string in its metadata.

    Raises:
        EnvironmentFault: no space, no permission; nothing of the name is changed then.
    """
    write_atomically(path, save(tensors, {"evoplastic": json.dumps(header, sort_keys=True)}))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content: temporary file, fsync, rename, fsync of the directory.

    Raises:
        EnvironmentFault: the content could not be written; the old file is untouched.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=".tmp", dir=path.parent
        )
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
        raise EnvironmentFault(
            f"cannot write {path}: {error.strerror or error}; make room or choose a directory "
            "you may write to"
        ) from error


def read_tensors(
    path: Path, schemas: Sequence[str], what: str
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file written by `write_tensors`.

    Args:
        path: the file.
        schemas: what its header may name as its schema, the newest first.
        what: what the file should hold, for messages.

    Raises:
        UsageError: naming the file, when it is missing, damaged, or of another schema.
    """
    require(path.is_file(), f"no {what} at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            header = json.loads(metadata.get("evoplastic", "{}"))
            found = header.get("schema")
            require(
                found in schemas,
                f"{path} is not a {what} this version reads: schema {found!r}, expected "
                + " or ".join(repr(schema) for schema in schemas),
            )
            return {name: file.get_tensor(name) for name in file.keys()}, header
    except (SafetensorError, OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is a corrupt or truncated {what} ({error}); restore it from a copy"
        ) from error
