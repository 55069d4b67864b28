"""One part of `make gpu` in a process of its own: `python -m tests.gpu.part NAME FILE [--tiny]`."""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def main() -> int:
    """Run a part; after each of its rows, all of them stand in the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu.part", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("file", type=Path)
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    part = importlib.import_module(f"tests.gpu.{args.name}")
    found: Iterator[Row] = part.rows(tiny=args.tiny)
    rows: list[Row] = []
    for row in found:
        rows.append(row)
        print("  ".join(_written(name, value) for name, value in row.items()))
        args.file.write_text(json.dumps(rows))
    return int(any(row.get("holds") is False for row in rows))


def _written(name: str, value: object) -> str:
    if name == "name":
        return f"{value!s:44}"
    if isinstance(value, bool) and name == "holds":
        return "holds" if value else "FAILS"
    return f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"


if __name__ == "__main__":
    raise SystemExit(main())
