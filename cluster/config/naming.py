"""Names of run directories that hold settings of their runs."""

from __future__ import annotations

from pathlib import Path
from string import Formatter
from typing import Any

from cluster.config.run import RunConfig
from evoplastic.checks import UsageError, nearest, require

KEPT = "._+-"  # of what is neither letter nor digit


def filled_in(run_dir: str | Path, config: RunConfig) -> Path:
    """A run directory whose name may hold settings, as in `runs/{name}-s{seed:03d}-{rule}`.

    A key is a dotted path (`{search.sigma}`), or a section that is chosen by name. After a colon
    comes how it is written, as Python has it. Braces that are meant as such are written twice.

    Raises:
        UsageError: a key that no setting has, with the nearest one, or braces that do not fit.
    """
    values = config.flat()
    values |= {
        key.removesuffix(".name"): word for key, word in values.items() if key.endswith(".name")
    }
    text = str(run_dir)
    try:
        return Path(
            "".join(
                literal + ("" if key is None else _word(key, spec or "", mark, values))
                for literal, key, spec, mark in Formatter().parse(text)
            )
        )
    except ValueError as error:
        raise UsageError(
            f"--run-dir {text}: {error}; write {{seed}} for a setting and {{{{ for a brace"
        ) from error


def _word(key: str, spec: str, mark: str | None, values: dict[str, Any]) -> str:
    """A setting as a part of a file's name."""
    require(mark is None, f"there is no !{mark}")
    require(key in values, f"there is no setting {key!r}; {nearest(key, values)}")
    written = format(values[key] if values[key] is not None else "none", spec)
    return "".join(each if each.isalnum() or each in KEPT else "-" for each in written)
