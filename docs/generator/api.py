"""One page for each folder of the packages, with the docstrings of its public modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from docs.generator.navigation import API, ROOT

PACKAGES = ("evoplastic", "tasks", "cluster", "analysis")


def api_pages() -> dict[str, str]:
    """Text of each page, by its path; what stands there is filled in by mkdocstrings."""
    return {
        f"{API}{'.'.join(folder.relative_to(ROOT).parts)}.md": _page(folder)
        for package in PACKAGES
        for folder in _folders(ROOT / package)
    }


def _folders(package: Path) -> Iterator[Path]:
    """The package and the packages within it."""
    yield package
    for path in sorted(package.rglob("__init__.py")):
        if path.parent != package:
            yield path.parent


def _page(folder: Path) -> str:
    name = ".".join(folder.relative_to(ROOT).parts)
    modules = [path.stem for path in sorted(folder.glob("[!_]*.py"))]
    documented = [_entry(name, heading=False), *(_entry(f"{name}.{each}") for each in modules)]
    return f"# {name}\n\n" + "\n".join(documented)


def _entry(module: str, *, heading: bool = True) -> str:
    shown = "true" if heading else "false"
    return f"::: {module}\n    options:\n      show_root_heading: {shown}\n"
