"""Where each page stands in the site: tutorials, how-to, reference, explanation, results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
API = "api/"
REST = "More"

# Pages of the site that are files elsewhere in the repository.
BORROWED = {
    ROOT / "evoplastic/engines/README.md": "engines.md",
    ROOT / "CONTRIBUTING.md": "contributing.md",
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "examples/README.md": "examples.md",
}

# A page that does not exist is left out; one that exists and is not named comes under its folder's
# section, or under `REST`.
ORDER: dict[str, tuple[str, ...]] = {
    "Tutorials": (
        "tutorials/first_run.md",
        "tutorials/inside_a_lifetime.md",
        "tasks.md",
        "metatasks.md",
        "poet.md",
        "streams.md",
        "tutorials/rule.md",
    ),
    "How-to": (
        "howto/settings.md",
        "howto/resume.md",
        "howto/sweep.md",
        "clusters.md",
        "analysis.md",
        "howto/lineage.md",
        "howto/mlflow.md",
        "python.md",
        "extending.md",
        "examples.md",
        "contributing.md",
    ),
    "Reference": (
        "rules.md",
        "reference/rules.md",
        "modulation.md",
        "genome.md",
        "searches.md",
        "reference/tables.md",
        "reference/recipes.md",
        "reference/configuration.md",
        "reference/command_line.md",
    ),
    "Explanation": (
        "architecture.md",
        "engines.md",
        "reliability.md",
        "security.md",
        "performance.md",
        "changelog.md",
    ),
    "Results": (
        "results/miconi2023.md",
        "results/modulation.md",
        "results/yang19-small.md",
        "results/yang19-laptop.md",
        "results/metaworld.md",
        "results/poet.md",
        "results/rule_families.md",
    ),
}
TITLES = {  # where a page's own heading is long
    "architecture.md": "Architecture",
    "engines.md": "Engines",
    "reliability.md": "Reliability",
    "security.md": "Security",
    "results/miconi2023.md": "miconi2023",
    "results/modulation.md": "Modulation of its own",
    "results/yang19-small.md": "yang19-small",
    "results/yang19-laptop.md": "yang19-laptop",
    "results/poet.md": "poet-laptop",
    "results/metaworld.md": "metaworld",
}
FOLDERS = {"tutorials": "Tutorials", "howto": "How-to", "results": "Results"}


def navigation(generated: Iterable[str]) -> list[Any]:
    """The navigation as MkDocs takes it.

    Args:
        generated: pages beside those in `docs/`, as paths within it.
    """
    generated = list(generated)
    written = [path.relative_to(DOCS).as_posix() for path in sorted(DOCS.rglob("*.md"))]
    pages = [*written, *BORROWED.values(), *generated]
    sections = {title: [page for page in order if page in pages] for title, order in ORDER.items()}
    placed = {"index.md", *(page for pages in sections.values() for page in pages)}
    for page in pages:
        if page not in placed and not page.startswith(API):
            sections.setdefault(FOLDERS.get(page.partition("/")[0], REST), []).append(page)
    nav: list[Any] = [{"Home": "index.md"}]
    for title, listed in sections.items():
        entries: list[Any] = [{TITLES[page]: page} if page in TITLES else page for page in listed]
        if title == "Reference":
            entries.append({"API": _tree([page for page in generated if page.startswith(API)])})
        nav.append({title: entries})
    return nav


def _tree(pages: list[str]) -> list[Any]:
    """API pages, those of one package together under its name."""
    packages: dict[str, list[str]] = {}
    for page in pages:
        packages.setdefault(_package(page), []).append(page)
    return [
        {package: [{_short(page): page} for page in sorted(listed, key=_short)]}
        for package, listed in packages.items()
    ]


def _package(page: str) -> str:
    return page.removeprefix(API).removesuffix(".md").partition(".")[0]


def _short(page: str) -> str:
    """The folder within its package; the package's own files come first."""
    name = page.removeprefix(API).removesuffix(".md")
    return name.partition(".")[2] or "(top)"
