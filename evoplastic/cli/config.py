"""config show | schema: what a recipe means, and what may stand in one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, print_json

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers


def add_verbs(verbs: Subparsers) -> None:
    """Declare `config` and its verbs."""
    family = add_verb(
        verbs,
        "config",
        "show a resolved configuration, or the schema of all",
        "evoplastic config show laptop search.popsize=64",
    ).add_subparsers(title="verbs", metavar="VERB", required=True)

    show = add_verb(
        family,
        "show",
        "print a recipe with all its defaults; without RECIPE, list the recipes",
        """
        evoplastic config show
        evoplastic config show laptop
        evoplastic config show laptop lifetime.num_trials=200 > mine.yaml
        """,
        run_show,
    )
    show.add_argument("recipe", nargs="?", metavar="RECIPE|FILE", help="a recipe or a YAML file")
    show.add_argument("overrides", nargs="*", metavar="key=value", help="values to change")
    add_json(show)

    add_verb(
        family,
        "schema",
        "print the JSON schema of a configuration, a sentence for every key",
        "evoplastic config schema > evoplastic.schema.json",
        run_schema,
    )


def run_show(args: argparse.Namespace) -> int:
    """One resolved configuration, or the names of the recipes."""
    from cluster.config.run import known_recipes, load_config

    if args.recipe is None:
        recipes = {name: load_config(name) for name in known_recipes()}
        if args.json:
            print_json({name: config.model_dump(mode="json") for name, config in recipes.items()})
        else:
            for name, config in recipes.items():
                print(
                    f"{name}: {config.evolution.generations} generations of "
                    f"{config.search.popsize} lifetimes of {config.lifetime.num_trials} trials, "
                    f"suite {config.suite}"
                )
        return exits.DONE
    config = load_config(args.recipe, args.overrides)
    if args.json:
        print_json(config.model_dump(mode="json"))
    else:
        print(config.to_yaml(), end="")
    return exits.DONE


def run_schema(args: argparse.Namespace) -> int:
    """What keys there are, what they mean, what they may be."""
    from cluster.config.run import config_schema

    print_json(config_schema())
    return exits.DONE
