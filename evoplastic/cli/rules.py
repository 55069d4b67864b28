"""rules list | show: how weights may change within a lifetime."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from evoplastic.cli import exits
from evoplastic.cli.verbs import add_json, add_verb, print_json, print_table

if TYPE_CHECKING:
    from evoplastic.cli.verbs import Subparsers

DEFAULT_RECIPE = "miconi2023"
RECIPE_HELP = f"recipe or file whose network size counts the genes (default {DEFAULT_RECIPE})"


def add_verbs(verbs: Subparsers) -> None:
    """Declare `rules` and its verbs."""
    family = add_verb(
        verbs,
        "rules",
        "list and describe plasticity rules",
        "evoplastic rules list\nevoplastic rules show abcd_rank_one",
    ).add_subparsers(title="verbs", metavar="VERB", required=True)
    listing = add_verb(
        family,
        "list",
        "list all rules: what they are, their number of genes, schedule and cost of a step",
        "evoplastic rules list\nevoplastic rules list --recipe smoke --json",
        run_list,
    )
    show = add_verb(
        family,
        "show",
        "show a rule: equation, source, constants, fields of the genome, cost of a step",
        """
        evoplastic rules show oja
        evoplastic rules show abcd "rule.coefficients={A: {form: rank_one}}"
        evoplastic rules show backpropamine --recipe smoke --json
        """,
        run_show,
    )
    show.add_argument("rule", metavar="NAME", help="one of `rules list`, or my_rule.py:RULE")
    show.add_argument("overrides", nargs="*", metavar="key=value", help="options of the rule")
    for parser in (listing, show):
        parser.add_argument("--recipe", default=DEFAULT_RECIPE, metavar="RECIPE", help=RECIPE_HELP)
        add_json(parser)


def run_list(args: argparse.Namespace) -> int:
    """One line a rule."""
    from cluster.config.run import load_config
    from evoplastic.rules.catalogue import RULES
    from evoplastic.rules.config import RuleConfig
    from evoplastic.rules.describe import describe_rule

    neurons = load_config(args.recipe).num_neurons
    found = [describe_rule(RuleConfig(name=name), neurons) for name in RULES]
    if args.json:
        print_json(found)
        return exits.DONE
    print_table(
        ("rule", "what it is", "genes", "schedule", "multiply-adds"),
        [
            (
                rule["name"],
                rule["title"],
                f"{rule['genes']:,}",
                rule["schedule"],
                str(rule["step_multiply_adds_per_connection"]),
            )
            for rule in found
        ],
    )
    print(f"genes: beside those of every rule, for {neurons} neurons; multiply-adds: of a")
    print("connection in a time step, changes at outcomes alone not counted")
    return exits.DONE


def run_show(args: argparse.Namespace) -> int:
    """Everything that is known about one rule."""
    from cluster.config.run import load_config
    from evoplastic.checks import require_known
    from evoplastic.rules.catalogue import RULES
    from evoplastic.rules.describe import describe_rule
    from evoplastic.rules.python_file import is_reference

    if not is_reference(args.rule):
        require_known("plasticity rule", args.rule, RULES)
    plain = ["lifetime.smoothness_penalty=0"]  # which belongs to the recipe's own rule
    config = load_config(args.recipe, [*plain, f"rule={args.rule}", *args.overrides])
    found = describe_rule(config.rule, config.num_neurons)
    if args.json:
        print_json(found)
        return exits.DONE
    _print(found)
    return exits.DONE


def _print(rule: dict[str, Any]) -> None:
    print(f"{rule['name']}: {rule['title']}\n")
    for equation in rule["equations"]:
        print(f"    {equation}")
    print(f"\nsource     {rule['source']}")
    print(f"modulator  {rule['modulator']}, changes at each {rule['changes_at']}")
    print(f"schedule   {rule['schedule']}")
    print(
        f"step       {rule['step_multiply_adds_per_connection']} multiply-adds a connection, "
        f"{rule['step_matrices']} matrices read or written"
    )
    constants = (f"{name} {value:g}" for name, value in rule["constants"].items())
    print(f"constants  {', '.join(constants)}")
    if not rule["fields"]:
        print("fields     none of its own: the genome is w and alpha")
        return
    print(f"fields     {rule['genes']:,} genes for {rule['neurons']} neurons\n")
    print_table(
        ("field", "shape", "transform", "genes"),
        [
            (field["name"], field["shape"], field["transform"], f"{field['genes']:,}")
            for field in rule["fields"]
        ],
    )
