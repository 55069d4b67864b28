"""What reproducing a run needs besides its configuration: versions, platform, source commit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RECORDED_PACKAGES = (
    "evoplastic",
    "torch",
    "numpy",
    "numba",
    "evotorch",
    "ray",
    "mlflow",
    "neurogym",
)


def describe_environment() -> dict[str, Any]:
    """Versions, platform and source commit: what reproducing a run needs besides its config."""
    packages = {}
    for package in RECORDED_PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = "absent"
    commit, dirty = git_commit()
    return {
        "python": platform.python_version(),
        "packages": packages,
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "git_commit": commit,
        "git_dirty": dirty,
        "command": sys.argv,
    }


def git_commit() -> tuple[str, bool]:
    """Commit of the source tree and whether it was changed since; ("", False) outside git."""
    source = Path(__file__).resolve().parent.parent
    if not (source / ".git").exists():
        return "", False
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(source), *command],
                capture_output=True,
                text=True,
                timeout=10,
                check=True,
            ).stdout.strip()
            for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "-uno"])
        )
    except (OSError, subprocess.SubprocessError):
        return "", False
    return commit, bool(changes)
