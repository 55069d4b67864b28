"""The entries of the tables: every rule with its equation and source, every recipe."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.config.run import RECIPES, known_recipes
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.describe import describe_rule

NEURONS = 70
RULES_INTRODUCTION = f"""\
# Table of rules

Read off the table `RULES` when this site is built; `evoplastic rules list` and `rules show
NAME` print the same. Genes are counted for {NEURONS} neurons, beside those of `w` and `alpha`;
multiply-adds are those of a connection in a time step, changes that are made once per trial not
counted. What the words mean is told in [plasticity rules](../rules.md).
"""
RECIPES_INTRODUCTION = """\
# Recipes

Configurations that come with the project, to be started by name: `evoplastic evolve laptop`.
Each names what differs from the [defaults](configuration.md).
"""


def rules_page() -> str:
    """Every rule: a table of all, then each with its equation, source and fields."""
    found = [describe_rule(RuleConfig(name=name), NEURONS) for name in RULES]
    rows = [
        f"| [`{rule['name']}`](#{rule['name']}) | {rule['title']} | {rule['genes']:,} "
        f"| `{rule['schedule']}` | {rule['step_multiply_adds_per_connection']} |"
        for rule in found
    ]
    head = "| rule | what it is | genes | schedule | multiply-adds |\n|---|---|--:|---|--:|"
    sections = []
    for rule in found:
        equations = "\n".join(rule["equations"])
        constants = ", ".join(f"`{name}` {value:g}" for name, value in rule["constants"].items())
        fields = ", ".join(
            f"`{field['name']}` ({field['shape']}, {field['genes']:,} genes)"
            for field in rule["fields"]
        )
        sections.append(
            f"## {rule['name']}\n\n{rule['title']}.\n\n```text\n{equations}\n```\n\n"
            f"- Source: {rule['source']}\n"
            f"- Modulated by: {rule['modulator']}; changes at each {rule['changes_at']}\n"
            f"- Constants: {constants}\n"
            f"- Fields of the genome: {fields or 'none of its own'}\n"
        )
    return "\n".join([RULES_INTRODUCTION, head, *rows, "", *sections])


def recipes_page() -> str:
    """Every recipe, with what its first lines say of it."""
    return "\n".join([RECIPES_INTRODUCTION, *_recipes()])


def _recipes() -> Iterator[str]:
    for name in known_recipes():
        lines = (RECIPES / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        about = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
        text = "\n".join(line for line in lines if not line.startswith("#"))
        yield f"## {name}\n\n{' '.join(about)}\n\n```yaml\n{text}\n```\n"
