"""ui: look into the store of records."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.cli.verbs import add_verb, positive

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers

DEFAULT_STORE = "sqlite:///mlflow.db"
HOST = "127.0.0.1"  # the store has no passwords: never listen beyond this machine


def add_verbs(verbs: Subparsers) -> None:
    """Declare `ui`."""
    ui = add_verb(
        verbs,
        "ui",
        "browse all recorded runs in a web browser (this machine only)",
        "evoplastic ui\nevoplastic ui --store sqlite:////data/mlflow.db --port 5001",
        run_ui,
    )
    ui.add_argument(
        "--store", default=DEFAULT_STORE, metavar="URI", help=f"default {DEFAULT_STORE}"
    )
    ui.add_argument("--port", type=positive, default=5000, help="default 5000")


def run_ui(args: argparse.Namespace) -> int:
    """Become MLflow's own server, bound to this machine alone."""
    from importlib.util import find_spec

    from evoplastic.checks import EnvironmentFault, UsageError

    if find_spec("mlflow") is None:
        raise EnvironmentFault("MLflow is not installed; `make setup` installs it")
    path = sqlite_path(args.store)
    if path is not None and not path.is_file():
        raise UsageError(
            f"no records at {path}; run `evoplastic evolve` here first, or name the store with "
            "--store sqlite:///PATH"
        )
    print(f"runs of {args.store} at http://{HOST}:{args.port} (stop with Ctrl-C)", flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST]
    command += ["--port", str(args.port), "--backend-store-uri", args.store]
    os.execv(sys.executable, command)


def sqlite_path(store: str) -> Path | None:
    """The file of an SQLite store, or None for any other store."""
    prefix = "sqlite:///"
    return Path(store.removeprefix(prefix)) if store.startswith(prefix) else None
