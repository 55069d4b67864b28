"""Links of the repository's pages lead somewhere, and one that does not would be found."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from docs.generator import links
from docs.generator.links import broken_in_markdown, broken_in_site, main

ROOT = Path(__file__).parents[3]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "evoplastic" / "engines" / "README.md",
    ROOT / "examples" / "README.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path) -> None:
    assert broken_in_markdown(page) == []


def test_broken_links_of_a_page_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A heading, `quoted`\n\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[a](there.md) [b](there.md#a-heading-quoted) [c](#page)\n"
        "[d](gone.md) [e](there.md#no-heading) [f](#gone) `[g](gone.md)`\n"
        "```\n[h](gone.md)\n```\n"
    )
    found = [line.partition(": ")[2] for line in broken_in_markdown(page)]
    assert found == ["gone.md", "there.md#no-heading", "#gone"]


def test_broken_links_of_a_site_are_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there.html").write_text('<h1 id="top">There</h1><img src="there.html">')
    assert main(tmp_path) == 0
    (tmp_path / "index.html").write_text(
        '<a href="there.html#top"></a><a href="there.html#gone"></a><a href="gone.html"></a>'
        '<script src="https://other.example/x.js"></script><a href="https://other.example"></a>'
        '<img src="gone.png">'
    )
    assert broken_in_site(tmp_path) == [
        "index.html loads https://other.example/x.js from another host",
        "index.html: there.html#gone",
        "index.html: gone.html",
        "index.html: gone.png",
    ]
    assert main(tmp_path) == 1
    assert "4 broken links" in capsys.readouterr().out


def test_a_site_without_pages_is_no_site(tmp_path: Path) -> None:
    assert main(tmp_path) == 1


def test_examples_in_docstrings() -> None:
    failed, tried = doctest.testmod(links)
    assert tried > 0
    assert not failed
