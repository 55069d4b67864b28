"""How evolve and resume leave a run: with its table and figures, or with the way to go on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from evoplastic.checks import Preempted
from evoplastic.cli import exits
from evoplastic.cli.driving.workers import as_typed
from evoplastic.cli.store import store_options
from evoplastic.commands import command
from evoplastic.stopping import Stopped

if TYPE_CHECKING:
    from cluster.loop import RunOutcome


def finish(outcome: RunOutcome, args: argparse.Namespace) -> int:
    """Table, figures, and what to do next."""
    from evoplastic.cli import analyze

    if outcome.already_finished and not args.json:
        print(f"{outcome.run_dir} was finished already", file=sys.stderr)
    report = None
    if outcome.status == "done" and not args.no_analysis:
        from analysis.report import analyze as draw

        report = draw(outcome.run_dir)
    if args.json:
        analyze.print_outcome(outcome, report)
    elif report is not None:
        analyze.print_report(report)
    if outcome.status != "done":
        done = f"{outcome.status} at generation {outcome.generation} of {outcome.generations}"
        print(f"{done}; {how_to_go_on(outcome.run_dir, args)}", file=sys.stderr)
    elif not args.json:
        center = outcome.run_dir / "genomes" / "center.safetensors"
        print(f"wrote {center}, digest {outcome.center_digest[:16]}")
        print(f"try: {command('evaluate', outcome.run_dir, '--lifetimes', 256)}")
        if outcome.tracking_uri is not None:
            print(f"or:  {command('ui', *store_options(outcome.tracking_uri))}")
    assert outcome.exit_code in (exits.DONE, exits.PREEMPTED, exits.INTERRUPTED)
    return outcome.exit_code


@contextmanager
def leaving(run_dir: Path, args: argparse.Namespace) -> Iterator[None]:
    """Say how to go on with a run that cannot be worked on now, if there is one."""
    try:
        yield
    except (Preempted, Stopped) as error:
        from cluster.lock import Occupied
        from evoplastic.records.names import CONFIG_NAME

        if (run_dir / CONFIG_NAME).is_file() and not isinstance(error.__cause__, Occupied):
            print(how_to_go_on(run_dir, args), file=sys.stderr)
        raise


def how_to_go_on(run_dir: Path, args: argparse.Namespace) -> str:
    """The command that resumes a run where it was worked on before, as a part of a sentence."""
    return f"go on with: {command('resume', run_dir, *as_typed(args))}"
