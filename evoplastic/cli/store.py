"""sync, ui: fill the store of records, and look into it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, positive, print_json

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers

DEFAULT_STORE = "sqlite:///mlflow.db"
HOST = "127.0.0.1"  # the store has no passwords: never listen beyond this machine


def add_verbs(verbs: Subparsers) -> None:
    """Declare `sync` and `ui`."""
    sync = add_verb(
        verbs,
        "sync",
        "deliver to MLflow what it lacks of a run, each point once",
        """
        evoplastic sync runs/laptop-seed1-001
        evoplastic sync runs/laptop-seed1-001 --store http://127.0.0.1:5000
        """,
        run_sync,
    )
    sync.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="directory of a run")
    sync.add_argument("--store", metavar="URI", help="MLflow store (default: that of the run)")
    sync.add_argument(
        "--experiment",
        metavar="NAME",
        help="MLflow experiment, now and from here on (default: that of the run)",
    )
    add_json(sync)

    ui = add_verb(
        verbs,
        "ui",
        "browse all recorded runs in a web browser (this machine only)",
        "evoplastic ui\nevoplastic ui --store sqlite:////data/mlflow.db --port 5001 --no-browser",
        run_ui,
    )
    add_store(ui)
    ui.add_argument("--port", type=positive, default=5000, help="default 5000")
    ui.add_argument("--no-browser", action="store_true", help="print the link, open nothing")


def add_store(parser: argparse.ArgumentParser) -> None:
    """The option that names a store of records."""
    parser.add_argument(
        "--store",
        default=os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE,
        metavar="URI",
        help=f"store of records (default MLFLOW_TRACKING_URI, else {DEFAULT_STORE})",
    )


def store_options(uri: str) -> list[str]:
    """What names a store to a verb, nothing where the verb would take it by itself here."""
    default = os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_STORE
    path, own = sqlite_path(uri), sqlite_path(default)
    same = uri == default if path is None or own is None else path.absolute() == own.absolute()
    return [] if same else ["--store", uri]


def run_sync(args: argparse.Namespace) -> int:
    """Catch up with the journal."""
    from dataclasses import asdict

    from cluster.tracking.sync import sync

    report = sync(args.run_dir, args.store, args.experiment)
    if args.json:
        print_json(asdict(report))
    else:
        print(
            f"{report.uri}: experiment {report.experiment}, MLflow run {report.mlflow_run_id}\n"
            f"delivered {report.events} events, {report.points} points, "
            f"{len(report.files)} files"
        )
    return exits.DONE


def run_ui(args: argparse.Namespace) -> int:
    """Become MLflow's own server, bound to this machine alone."""
    from importlib.util import find_spec

    from evoplastic.checks import EnvironmentFault, UsageError
    from evoplastic.cli.records.waiting import announce_from_a_child, has_screen

    if args.store.startswith(("http://", "https://")):
        print(f"{args.store} is a server already: open it in a browser")
        return exits.DONE
    if find_spec("mlflow") is None:
        raise EnvironmentFault("MLflow is not installed; `make setup` installs it")
    path = sqlite_path(args.store)
    if path is not None and not path.is_file():
        raise UsageError(
            f"no records at {path}; run `evoplastic evolve` here first, or name the store with "
            "--store sqlite:///PATH"
        )
    _require_free(args.port)
    address = f"http://{HOST}:{args.port}"
    print(
        f"starting MLflow on {args.store} at {address}, up to a minute (stop with Ctrl-C)",
        flush=True,
    )
    announce_from_a_child(address, browse=has_screen() and not args.no_browser)
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST]
    command += ["--port", str(args.port), "--backend-store-uri", args.store, "--workers", "1"]
    os.execv(sys.executable, command)


def _require_free(port: int) -> None:
    import socket

    from evoplastic.checks import UsageError, require

    require(port < 1 << 16, f"--port is {port}, expected at most 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"port {port} of this machine cannot be listened at ({error.strerror}); MLflow may "
                f"be running there already: see http://{HOST}:{port}, or give another --port"
            ) from error


def sqlite_path(store: str) -> Path | None:
    """The file of an SQLite store, or None for any other store."""
    prefix = "sqlite:///"
    return Path(store.removeprefix(prefix)) if store.startswith(prefix) else None
