"""searches list | show | compare: how genomes are looked for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from evoplastic.cli import exits
from evoplastic.cli.searches.compare import add_compare
from evoplastic.cli.verbs import add_json, add_verb, print_json, print_table

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `searches` and its verbs."""
    family = add_verb(
        verbs,
        "searches",
        "list, describe and compare searches",
        "evoplastic searches list\nevoplastic searches show snes",
    ).add_subparsers(title="verbs", metavar="VERB", required=True)
    listing = add_verb(
        family,
        "list",
        "list all searches: what they are and where they come from",
        "evoplastic searches list\nevoplastic searches list --json",
        run_list,
    )
    show = add_verb(
        family,
        "show",
        "show a search: what it is, its source, its options with their defaults",
        "evoplastic searches show cmaes\nevoplastic searches show es --json",
        run_show,
    )
    show.add_argument("search", metavar="NAME", help="one of `searches list`")
    for parser in (listing, show):
        add_json(parser)
    add_compare(family)


def run_list(args: argparse.Namespace) -> int:
    """One line a search."""
    from evoplastic.search.catalogue import SEARCHES

    found = [
        {"name": name, "title": entry.title, "source": entry.source}
        for name, entry in SEARCHES.items()
    ]
    if args.json:
        print_json(found)
        return exits.DONE
    print_table(
        ("search", "what it is", "source"),
        [(each["name"], each["title"], each["source"]) for each in found],
    )
    return exits.DONE


def run_show(args: argparse.Namespace) -> int:
    """Everything that is known about one search."""
    from evoplastic.checks import require_known
    from evoplastic.search.catalogue import SEARCHES

    require_known("search", args.search, SEARCHES)
    entry = SEARCHES[args.search]
    options = options_of(args.search)
    if args.json:
        print_json(
            {
                "name": entry.name,
                "title": entry.title,
                "source": entry.source,
                "options": options,
            }
        )
        return exits.DONE
    print(f"{entry.name}: {entry.title}\n\nsource  {entry.source}\n")
    print_table(
        ("option", "default", "what it is"),
        [(f"search.{each['name']}", str(each["default"]), each["description"]) for each in options],
    )
    return exits.DONE


def options_of(name: str) -> list[dict[str, Any]]:
    """The options of a search but its name: default, and what the configuration's schema says."""
    from cluster.config.run import config_schema
    from evoplastic.search.catalogue import SEARCHES

    section = config_schema()["$defs"][SEARCHES[name].options.__name__]["properties"]
    return [
        {
            "name": key,
            "default": said.get("default"),
            "description": " ".join(said.get("description", "").split()),
        }
        for key, said in section.items()
        if key != "name"
    ]
