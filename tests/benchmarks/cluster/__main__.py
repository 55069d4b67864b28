"""`make bench-cluster`: what it costs to hand work out; writes its section of the report."""

from __future__ import annotations

import argparse
from pathlib import Path

from cluster.config.run import load_config
from evoplastic.checks import UsageError
from tests.benchmarks.cluster.report import section
from tests.benchmarks.search.report import write

TARGET = Path(__file__).parents[3] / "docs" / "performance.md"


def main() -> None:
    """Measure, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="measured generations (default 7)")
    parser.add_argument(
        "--generations", type=int, default=10_000, help="over which memory is watched"
    )
    parser.add_argument("--out", type=Path, default=TARGET, help="file whose section is written")
    parser.add_argument("words", nargs="*", help="key=value of the recipe that is lived")
    args = parser.parse_args()
    try:
        load_config("laptop", args.words)  # not after minutes of measuring
    except UsageError as error:
        parser.error(str(error))
    lines = section(args.rounds, args.generations, args.words)
    write(args.out, lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
