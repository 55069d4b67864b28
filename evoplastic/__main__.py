"""The command line: `evoplastic VERB ...`, or `python -m evoplastic VERB ...`.

Signals are heeded before anything is imported that takes time, and parsing imports nothing heavy,
so that `--help` answers at once; a verb imports what it needs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from evoplastic import stopping

if TYPE_CHECKING:
    import argparse


def main(argv: Sequence[str] | None = None, *, watch: bool = False) -> int:
    """Run one command; the exit code, never an exception, is the answer.

    Args:
        argv: its words; none means those of this process.
        watch: whether a verb that asks for it is run in a child, which this process watches.


    A fault of the user or of the machine is one paragraph on stderr; `--debug` or
    EVOPLASTIC_DEBUG=1 adds the traceback. What cannot be printed changes the answer only where
    printing was all there was to do.
    """
    from evoplastic.cli import exits
    from evoplastic.cli.parser import parse
    from evoplastic.output import guarded
    from evoplastic.supervision import supervised
    from evoplastic.trust import gate_of

    with guarded() as out:
        try:
            args = parse(argv)
        except SystemExit as parsed:
            return int(parsed.code or 0)
        with gate_of(vars(args)):
            watched = watch and args.watched(args)
            code = (
                supervised(lambda: _run(args), partial(args.lost, args)) if watched else _run(args)
            )
        out.flush()
        if out.lost is None or isinstance(out.lost, BrokenPipeError) or args.printing_is_extra:
            return code
        print(f"evoplastic: what was printed is lost: {out.lost}", file=sys.stderr)
        return code or exits.ENVIRONMENT


def _run(args: argparse.Namespace) -> int:
    """The exit code; that of a signal, where one came, also if somebody swallowed the exception."""
    try:
        code = _answer(args)
    except Exception:
        if stopping.missed() is None:
            raise
        code = 1
    missed = stopping.missed()
    return code if missed is None or code == 0 else missed.exit_code


def _answer(args: argparse.Namespace) -> int:
    from evoplastic.checks import EnvironmentFault, Preempted, UsageError
    from evoplastic.cli import exits

    debug = bool(args.debug or os.environ.get("EVOPLASTIC_DEBUG"))
    try:
        code: int = args.run(args)
        return code
    except UsageError as error:
        return _complain(error, exits.USAGE, debug)
    except Preempted as error:
        return _complain(error, exits.PREEMPTED, debug)
    except (EnvironmentFault, PermissionError) as error:
        return _complain(error, exits.ENVIRONMENT, debug)
    except MemoryError:
        return _complain(
            EnvironmentFault(
                "not enough memory; ask for less: `evoplastic evolve RECIPE --dry-run` says what a "
                "recipe needs"
            ),
            exits.ENVIRONMENT,
            debug,
        )
    except stopping.Stopped as stopped:
        print(f"evoplastic: {stopped}", file=sys.stderr)
        return stopped.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return exits.INTERRUPTED


def _complain(error: Exception, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    else:
        print(f"evoplastic: {error}", file=sys.stderr)
    return code


def run() -> None:
    """Entry point of the console script, and of `python -m evoplastic`.

    There Python looks for modules in the current folder first; here, last: what lies in it is the
    user's, and his code is loaded otherwise (`evoplastic.user_code.project`).
    """
    if sys.path[0] in ("", os.getcwd()):
        sys.path.append(sys.path.pop(0))
    try:
        stopping.heed(sys.argv[1:])
        parent = os.environ.pop(stopping.STOP_WITH, None)  # not for those that we start
        if parent is not None:
            from evoplastic.machine import stop_with

            stop_with(int(parent))
        code = main(watch=True)
    except stopping.Stopped as stopped:  # before `main` could answer
        print(f"evoplastic: {stopped}", file=sys.stderr)
        code = stopped.exit_code
    sys.exit(code)


if __name__ == "__main__":
    run()
