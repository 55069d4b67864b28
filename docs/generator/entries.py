"""The entries of the tables: every rule with its equation and source, every recipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cluster.config.run import RECIPES, known_recipes
from evoplastic.engines import ENGINES
from evoplastic.modulation.catalogue import MODULATIONS
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.describe import describe_rule
from evoplastic.search.catalogue import SEARCHES
from tasks.curricula.catalogue import CURRICULA
from tasks.suites.suite_file import known_suite_files, read_suite_file

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


TABLES_INTRODUCTION = """\
# Other tables

Modulations, searches, curricula, engines and suites, read off the code when this site is built.
Each is chosen by its name, as in `evoplastic evolve smoke modulation=gain curriculum=uniform`; the
options are in the [configuration](configuration.md).
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
        constants = ", ".join(f"`{name}` {value:g}" for name, value in rule["constants"].items())
        fields = ", ".join(
            f"`{field['name']}` ({field['shape']}, {field['genes']:,} genes)"
            for field in rule["fields"]
        )
        sections.append(
            f"## {rule['name']}\n\n{rule['title']}.\n\n"
            f"```text\n{_lines(rule['equations'])}\n```\n\n"
            f"- Source: {rule['source']}\n"
            f"- Modulated by: {rule['modulator']}; changes at each {rule['changes_at']}\n"
            f"- Constants: {constants}\n"
            f"- Fields of the genome: {fields or 'none of its own'}\n"
        )
    return "\n".join([RULES_INTRODUCTION, head, *rows, "", *sections])


def tables_page() -> str:
    """Every modulation, search, curriculum, engine and suite."""
    modulations = [
        f"### {entry.name}\n\n{entry.title}.\n\n```text\n{_lines(entry.equations)}\n```\n\n"
        f"- Modulatory neurons: {entry.num_neurons}\n- Source: {entry.source}\n"
        for entry in MODULATIONS.values()
    ]
    searches = [f"- `{name}`: {each.title}. {each.source}." for name, each in SEARCHES.items()]
    curricula = [f"- `{name}`: {each.title}. {each.source}." for name, each in CURRICULA.items()]
    engines = ", ".join(f"`{name}`" for name in ENGINES)
    return "\n".join(
        [
            f"{TABLES_INTRODUCTION}\n## Modulations\n\nWhat the words mean is told in "
            "[modulation](../modulation.md).\n",
            *modulations,
            "## Searches\n\nWhich to use when is told in [searches](../searches.md).\n",
            *searches,
            "\n## Curricula\n",
            *curricula,
            f"\n## Engines\n\n{engines}; `auto` takes the fastest that covers a lifetime.\n",
            "## Suites\n",
            *_suites(),
        ]
    )


def _lines(equations: Iterable[str]) -> str:
    return "\n".join(equations)


def _suites() -> Iterator[str]:
    for name in known_suite_files():
        suite = read_suite_file(name)
        train = ", ".join(task.name for task in suite.train)
        held_out = ", ".join(task.name for task in suite.held_out)
        families = ", ".join(f"`{name}/{family}`" for family in suite.families)
        yield f"### {name}\n\n{suite.description}\n\n- Pacing: {suite.pacing.replace('_', ' ')}"
        yield f"- Training tasks: {train}\n- Held out: {held_out}"
        yield f"- Another family held out: {families}\n" if families else ""


def recipes_page() -> str:
    """Every recipe, with what its first lines say of it."""
    return "\n".join([RECIPES_INTRODUCTION, *_recipes()])


def _recipes() -> Iterator[str]:
    for name in known_recipes():
        lines = (RECIPES / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
        about = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
        text = "\n".join(line for line in lines if not line.startswith("#"))
        yield f"## {name}\n\n{' '.join(about)}\n\n```yaml\n{text}\n```\n"
