"""lineage --population: the pedigree of a run's individuals, told and drawn."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evoplastic.checks import require
from evoplastic.cli import exits
from evoplastic.cli.verbs import print_json

if TYPE_CHECKING:
    from evoplastic.api.lineage import Population

MOST_TOLD = 12  # of a line of ancestors
FOUNDERS_TOLD = 5


def run_population(args: argparse.Namespace) -> int:
    """Read, draw, then tell in words or as JSON."""
    from analysis.figures.pedigree.writing import as_records
    from evoplastic.api.lineage import population

    require(not args.near, "--near looks for runs of a family; it does nothing with --population")
    found = population(args.genome, args.store)
    files = found.draw(args.out)
    if args.json:
        told = {name: as_records(table) for name, table in found.tables.items()}
        print_json({"champion": found.champion, **told, "files": [str(file) for file in files]})
        return exits.DONE
    for line in told_of(found):
        print(line)
    print()
    for file in files:
        print(f"wrote {file}")
    return exits.DONE


def told_of(found: Population) -> Iterator[str]:
    """The population and its champion in a few lines."""
    table, ancestry, founders = found.table, found.tables["ancestry"], found.tables["founders"]
    generations, first = table["generation"].nunique(), int(table["generation"].min())
    begins = f", from generation {first} on" if first else ""
    yield (
        f"{found.records.run_id}: {table['individual'].nunique():,} individuals in {generations:,} "
        f"generations{begins}"
    )
    last = founders[founders["generation"] == founders["generation"].max()]
    yield (
        f"{len(last)} of {len(found.pedigree.founders)} founders have a share in those kept: "
        + _shares(dict(zip(last["founder"], last["share"], strict=True)))
    )
    champion = ancestry.iloc[-1]
    of = dict(zip(champion["parents"], champion["shares"], strict=True))
    yield (
        f"individual {champion['individual']} stands for the search: {champion['operator']}"
        + (f" in generation {champion['born']}, of {_shares(of)}" if of else "")
    )
    alone = ancestry[ancestry["parents"].map(len) == 0]
    yield (
        f"it came from {len(ancestry) - 1:,} others; of its founders, "
        + _shares(dict(zip(alone["individual"], alone["passed_on"], strict=True)))
    )
    yield f"whoever gave most: {' < '.join(_line(found))}"


def _shares(share_of: dict[int, float]) -> str:
    """Individuals with their shares, the largest first."""
    ordered = sorted(share_of.items(), key=lambda item: -item[1])
    told = [f"{who} ({share:.1%})" for who, share in ordered[:FOUNDERS_TOLD]]
    left = len(ordered) - len(told)
    return ", ".join(told) + (f" and {left} more" if left else "")


def _line(found: Population) -> list[str]:
    """From the champion to its first parent, and on, back to a founder."""
    births, line = found.pedigree.births, [found.champion]
    while births[line[-1]].parents:
        line.append(births[line[-1]].parents[0])
    words = [f"{who}@{births[who].born}" for who in line[:-1]] + [f"{line[-1]}"]
    if len(words) <= MOST_TOLD:
        return words
    half = MOST_TOLD // 2
    return [*words[:half], f"… {len(words) - 2 * half} more …", *words[-half:]]
