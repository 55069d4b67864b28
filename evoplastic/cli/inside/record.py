"""record: what happens inside a network during its lifetimes, kept as labelled arrays."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evoplastic.api.defaults import DEFAULT_CONFIG, EVALUATION_SEED
from evoplastic.cli import exits
from evoplastic.cli.genome import REFERENCE
from evoplastic.cli.verbs import add_json, add_trust, add_verb, positive, print_json, seed

if TYPE_CHECKING:
    from evoplastic.api.running import Planned
    from evoplastic.cli.verbs import Subparsers

FIELDS = "rate,mod,choice"


def add_verbs(verbs: Subparsers) -> None:
    """Declare `record`."""
    parser = add_verb(
        verbs,
        "record",
        "record what happens inside a network during lifetimes, as labelled arrays (NetCDF)",
        """
        evoplastic record g.safetensors --task dms --out rec.nc
        evoplastic record runs/laptop-seed1-001@40 --task dms --trials 0-24,375-399 --out rec.nc
        evoplastic record g.safetensors --fields rate,p,mod,elig,choice --trials=-1 --out last.nc
        """,
        run_record,
    )
    parser.add_argument("genome", metavar="GENOME", help=REFERENCE)
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="lifetime settings to change"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.nc", help="file to write (replaced)"
    )
    parser.add_argument(
        "--task",
        metavar="T",
        help="a task of the suite, or any other of its kind, my_task.py:MyTask too (default: the "
        "first held-out task)",
    )
    parser.add_argument(
        "--lifetimes", type=positive, default=32, metavar="N", help="how many (default 32)"
    )
    parser.add_argument(
        "--trials",
        metavar="A-B,C",
        help="trials to keep, from 0 on, from the end if negative (default: all)",
    )
    parser.add_argument(
        "--fields",
        default=FIELDS,
        metavar="F,...",
        help="rate, mod and choice of each step, p and elig of the end of each trial "
        f"(default {FIELDS})",
    )
    add_lifetime_options(parser)
    parser.add_argument("--no-plasticity", action="store_true", help="run with alpha = 0")
    add_trust(parser)
    add_json(parser)


def add_lifetime_options(parser: argparse.ArgumentParser) -> None:
    """Where lifetimes come from: seed, engine, configuration, store."""
    parser.add_argument(
        "--seed",
        type=seed,
        default=EVALUATION_SEED,
        metavar="K",
        help=f"root of trials and perturbations (default {EVALUATION_SEED}, as `evaluate`)",
    )
    parser.add_argument("--engine", metavar="E", help="cpu or reference (default: auto)")
    parser.add_argument(
        "--config",
        metavar="RECIPE|FILE",
        help="lifetime and suite (default: those of the genome's run, "
        f"else the recipe {DEFAULT_CONFIG})",
    )
    parser.add_argument(
        "--store", metavar="URI", help="MLflow store to look the genome up in (default: as `ui`)"
    )


def run_record(args: argparse.Namespace) -> int:
    """Say what will be kept and how much it is, run, and write it."""
    from evoplastic.api.recording import require_file, write_recording
    from evoplastic.api.running import planned
    from evoplastic.lifetime.recording import numbers_written
    from evoplastic.watching import watched

    plan = planned(
        args.genome,
        args.task,
        args.lifetimes,
        [name.strip() for name in args.fields.split(",")],
        None if args.trials is None else numbers_written(args.trials),
        seed=args.seed,
        plastic=not args.no_plasticity,
        config=args.config,
        engine=args.engine,
        store=args.store,
        settings={},
        overrides=args.overrides,
    )
    require_file(plan, args.out)
    print(_announced(plan), file=sys.stderr if args.json else sys.stdout, flush=True)
    with watched(f"recording {plan.setting.tasks[0].name}"):
        inside = plan.carry_out()
    write_recording(inside, args.out)
    if args.json:
        print_json(
            {
                "out": str(args.out),
                "bytes": args.out.stat().st_size,
                "lifetimes": plan.lifetimes,
                "trials": [int(trial) for trial in inside.trial],
                "fields": {name: list(shape) for name, shape in plan.shapes.items()},
                **{name: _plain(value) for name, value in inside.attrs.items()},
            }
        )
    else:
        print(f'wrote {args.out}; open it with xarray.open_dataset("{args.out}")')
    return exits.DONE


def _announced(plan: Planned) -> str:
    lifetime, shapes = plan.setting.problem.lifetime, plan.shapes
    listed = ", ".join(f"{name} {' x '.join(map(str, shape))}" for name, shape in shapes.items())
    return (
        f"recording {plan.lifetimes} lifetimes of {plan.setting.tasks[0].name}, "
        f"{len(plan.recording.trials)} of {lifetime.num_trials} trials: {listed}; "
        f"{plan.num_bytes / 2**20:.1f} MiB"
    )


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
