"""What all verbs share: how a verb is declared, and how it prints."""

from __future__ import annotations

import argparse
import json
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from evoplastic.checks import require
from evoplastic.output import shown, styled
from evoplastic.reading import parse_yaml

if TYPE_CHECKING:
    from rich.console import Console

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

Run = Callable[[argparse.Namespace], int]

LOG_WIDTH = 140
NUMBER = re.compile(r"[+-]?\d[\d.,e+-]*%?")


def add_verb(
    verbs: Subparsers, name: str, summary: str, examples: str, run: Run | None = None
) -> argparse.ArgumentParser:
    """Declare a verb with a sentence and examples; without `run` it holds verbs of its own."""
    parser = verbs.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(examples).strip(), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if run is not None:
        parser.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
        )
        parser.set_defaults(run=run)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """The flag that makes a verb speak to machines."""
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, nothing else")


def add_trust(parser: argparse.ArgumentParser) -> None:
    """The flag for code that a file refers to and that nobody typed; see `evoplastic.trust`."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run the code that the suite or the run refers to, now and while it stays the same",
    )


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def positive(text: str) -> int:
    """A count that must be at least 1, for `type=`."""
    number = _integer(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


def count_from_zero(text: str) -> int:
    """A count that may be 0, for `type=`."""
    number = _integer(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is not 0 or more")
    return number


def seed(text: str) -> int:
    """A root of random numbers, for `type=`."""
    number = _integer(text)
    if not 0 <= number < 1 << 64:
        raise argparse.ArgumentTypeError(f"{number} is not within 0 and 2**64 - 1")
    return number


def settings_of(words: list[str]) -> dict[str, Any]:
    """Constructor arguments as they were typed.

    Raises:
        UsageError: not KEY=VALUE, or a value that is no YAML.
    """
    settings = {}
    for word in words:
        key, equals, value = word.partition("=")
        require(bool(equals and key), f"--set got {word!r}, expected KEY=VALUE")
        settings[key] = parse_yaml(value, f"the value of --set {word!r}")
    return settings


def print_json(value: Any) -> None:
    """One JSON document on stdout; numbers that are not finite are refused, not written as NaN."""
    print(json.dumps(value, indent=2, allow_nan=False))


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], title: str | None = None
) -> None:
    """A table on stdout, numbers to the right, words to the left."""
    from rich.table import Table
    from rich.text import Text

    lines = [list(row) for row in rows]
    table = Table(
        title=title,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column, name in enumerate(header):
        numeric = all(_numeric(line[column]) for line in lines)
        table.add_column(
            Text(shown(name)),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=numeric,
        )
    for line in lines:
        table.add_row(*(Text(shown(cell)) for cell in line))
    console().print(table)


def console() -> Console:
    """Stdout, as wide as the terminal, or wide enough where there is none.

    Text is text: no markup is read in it, and control characters are written out.
    """
    from rich.console import Console, RenderHook
    from rich.segment import Segment, Segments

    class Literal(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [Segments(self._parts(renderable)) for renderable in renderables]

        def _parts(self, renderable: Any) -> list[Segment]:
            return [
                part if part.control else Segment(shown(part.text), part.style)
                for part in made.render(renderable)
            ]

    width = None if sys.stdout.isatty() else LOG_WIDTH
    made = Console(file=styled(sys.stdout), width=width, markup=False)
    made.push_render_hook(Literal())
    return made


def _numeric(cell: str) -> bool:
    return cell in ("", "-") or NUMBER.fullmatch(cell) is not None
