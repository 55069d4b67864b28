"""The command line: `evoplastic VERB ...`, or `python -m evoplastic VERB ...`.

Parsing imports nothing heavy, so that `--help` answers at once; a verb imports what it needs.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.cli import exits
from evoplastic.cli.parser import parse


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code, never an exception, is the answer.

    A fault of the user or of the machine is one paragraph on stderr; `--debug` or
    EVOPLASTIC_DEBUG=1 adds the traceback.
    """
    try:
        args = parse(argv)
    except SystemExit as parsed:
        return int(parsed.code or 0)
    debug = bool(args.debug or os.environ.get("EVOPLASTIC_DEBUG"))
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _complain(error, exits.USAGE, debug)
    except (EnvironmentFault, PermissionError) as error:
        return _complain(error, exits.ENVIRONMENT, debug)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return exits.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has read enough; keep the interpreter from flushing into nothing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.DONE


def _complain(error: Exception, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    else:
        print(f"evoplastic: {error}", file=sys.stderr)
    return code


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
