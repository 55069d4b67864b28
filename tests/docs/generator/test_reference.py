"""Pages that are read off the code hold all of it, and every page has one place in the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.config.run import RunConfig, known_recipes
from docs.generator import navigation as places
from docs.generator.navigation import BORROWED, navigation
from docs.generator.reference import generated_pages
from evoplastic.modulation.catalogue import MODULATIONS
from evoplastic.rules.catalogue import RULES
from evoplastic.search.catalogue import SEARCHES
from tasks.curricula.catalogue import CURRICULA

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return generated_pages()


def test_every_key_of_a_configuration_is_told_with_its_sentence(pages: dict[str, str]) -> None:
    page = pages["reference/configuration.md"]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|.*\|.*\|$", page, re.MULTILINE))
    keys = {part for key in RunConfig(name="a").flat() for part in key.split(".")}
    assert keys - {"p"} <= set(rows), keys - set(rows)
    assert all(len(sentence) > 3 for sentence in rows.values())
    for name in (*SEARCHES, *CURRICULA):
        assert f"if `name` is `{name}`" in page


def test_every_verb_of_the_command_line_is_told(pages: dict[str, str]) -> None:
    page = pages["reference/command_line.md"]
    for verb in ("evolve", "resume", "tasks check", "config schema", "rules show", "genome diff"):
        assert f"# evoplastic {verb}\n" in page
        assert f"usage: evoplastic {verb}" in page


def test_every_entry_of_the_tables_is_told(pages: dict[str, str]) -> None:
    for name, rule in RULES.items():
        assert f"## {name}\n\n{rule.title}." in pages["reference/rules.md"]
        assert rule.source in pages["reference/rules.md"]
    for name in known_recipes():
        assert f"## {name}\n" in pages["reference/recipes.md"]
    for name in (*MODULATIONS, "miconi2023", "yang19"):
        assert f"### {name}\n" in pages["reference/tables.md"]
    for name in (*SEARCHES, *CURRICULA):
        assert f"- `{name}`: " in pages["reference/tables.md"]


def test_every_public_module_is_documented_once(pages: dict[str, str]) -> None:
    told = [
        module
        for uri, page in pages.items()
        if uri.startswith("api/")
        for module in re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    ]
    assert len(told) == len(set(told)) > 150
    for module in (
        "evoplastic.rules.table",
        "tasks.suites.suite",
        "cluster.loop",
        "analysis.store",
    ):
        assert module in told


def leaves(nav: Any) -> Iterator[str]:
    """Pages of a navigation."""
    if isinstance(nav, str):
        yield nav
    else:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from leaves(each)


def test_every_page_has_one_place(pages: dict[str, str]) -> None:
    placed = list(leaves(navigation(pages)))
    written = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(placed) == sorted([*written, *BORROWED.values(), *pages])


def test_a_page_that_nobody_placed_is_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "howto").mkdir()
    for name in ("index.md", "tasks.md", "unheard_of.md", "howto/unheard_of.md"):
        (tmp_path / name).write_text("# A page\n")
    monkeypatch.setattr(places, "DOCS", tmp_path)
    sections = {title: pages for each in navigation([]) for title, pages in each.items()}
    assert sections["Tutorials"] == ["tasks.md"]
    assert "howto/unheard_of.md" in sections["How-to"]
    assert sections["More"] == ["unheard_of.md"]
