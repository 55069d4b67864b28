"""What may differ between the settings that a run began with and those it goes on with."""

from __future__ import annotations

from pathlib import Path

from cluster.config.run import AS_TYPED, RunConfig
from cluster.config.values import within
from evoplastic.checks import require


def require_same_path(old: RunConfig, new: RunConfig) -> None:
    """Refuse a change that would send a resumed run on another path than it started on.

    Raises:
        UsageError: naming the keys that differ, with both values.
    """
    changed = [f"{key}: {before} -> {after}" for key, before, after in _on_the_path(old, new)]
    require(
        not changed,
        f"a resumed run keeps its path, but these values differ: {'; '.join(changed)}; start a new "
        f"run instead, or change only {', '.join(new.path_neutral)}",
    )


def require_same_settings(run_dir: Path, there: RunConfig, asked: RunConfig) -> None:
    """Refuse to go on with a run of other settings, but for those that may change on the way.

    Raises:
        UsageError: naming the keys that differ, with both values.
    """
    differing = [f"{key}: there {old}, asked {new}" for key, old, new in _on_the_path(there, asked)]
    require(
        not differing,
        f"{run_dir} holds a run of other settings: {'; '.join(differing)}; choose another "
        "--run-dir, or ask for the settings of the run that is there",
    )


def _on_the_path(old: RunConfig, new: RunConfig) -> list[tuple[str, str, str]]:
    """Every key that a result depends on and whose values differ, with both as they are written."""
    before, after = old.flat(), new.flat()
    return [
        (key, repr(before.get(key)), repr(after.get(key)))
        for key in sorted(before | after)
        if before.get(key) != after.get(key) and not within(key, (*new.path_neutral, *AS_TYPED))
    ]
