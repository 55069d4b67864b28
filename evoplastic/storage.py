"""Files of named tensors with a JSON header: written whole or not at all, read without pickle."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from evoplastic.checks import EnvironmentFault, UsageError, require
from evoplastic.reading import parse_object


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Write a safetensors file; `header` is kept as one JSON string in its metadata.

    Raises:
        EnvironmentFault: no space, no permission; nothing of the name is changed then.
    """
    write_atomically(path, save(tensors, {"evoplastic": json.dumps(header, sort_keys=True)}))


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file by new content: temporary file, fsync, rename, fsync of the directory.

    The file is made with the user's umask. A link of that name is replaced, not followed.

    Raises:
        EnvironmentFault: the content could not be written; the old file is untouched.
    """
    write_together({path: content})


def remove_others(folder: Path, pattern: str, kept: Set[str]) -> None:
    """Remove the files of a folder that match a pattern and are not among those of these names.

    Raises:
        EnvironmentFault: one could not be removed.
    """
    for file in folder.glob(pattern):
        if file.name not in kept:
            try:
                with suppress(FileNotFoundError):
                    file.unlink()
            except OSError as error:
                raise EnvironmentFault(f"cannot remove {file}: {error.strerror}") from error


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Replace several files as `write_atomically` does; where one cannot be written, none is.

    Raises:
        EnvironmentFault: a content could not be written.
    """
    temporaries: dict[Path, Path] = {}
    path = Path()
    try:
        for path, content in contents.items():
            temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
            temporaries[path] = temporary
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in temporaries.items():
            os.replace(temporary, path)
            _keep_names(path.parent)
    except BaseException as error:  # an interrupt leaves no scraps either
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink()
        if not isinstance(error, OSError):
            raise
        reason = error.strerror or error
        for above in path.parents:
            if above.is_file():
                reason = f"{above} is a file, not a directory"
        raise EnvironmentFault(
            f"cannot write {path}: {reason}; make room or choose a directory you may write to"
        ) from error


def _keep_names(folder: Path) -> None:
    """Let a rename last, whatever happens to the machine."""
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


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
            header = parse_object(metadata.get("evoplastic", "{}"), f"the header of {path}")
            found = header.get("schema")
            require(
                found in schemas,
                f"{path} is not a {what} this version reads: schema {found!r}, expected "
                + " or ".join(repr(schema) for schema in schemas),
            )
            return {name: file.get_tensor(name) for name in file.keys()}, header
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is a corrupt or truncated {what} ({error}); restore it from a copy"
        ) from error


def read_header(path: Path, what: str) -> dict[str, Any]:
    """The header alone of a file written by `write_tensors`, of whatever schema.

    Raises:
        UsageError: naming the file, when it is missing, damaged, or has none.
    """
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get("evoplastic")
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no whole {what} ({error}); restore it from a copy") from error
    require(text is not None, f"{path} is no {what}: it has no header of ours")
    return parse_object(str(text), f"the header of {path}")
