"""Links that lead nowhere: of Markdown files into the repository, of the built site into itself.

As a program, `python -m docs.generator.links SITE` checks a built site, and that no page of it
loads anything from another host.
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FENCED = re.compile(r"^```.*?^```[ ]*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
LOADING = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
}


def broken_in_markdown(file: Path) -> list[str]:
    """Links of a Markdown file to files or headings that are not there, as "file: target"."""
    text = CODE.sub("", FENCED.sub("", file.read_text(encoding="utf-8")))
    broken = []
    for target in LINK.findall(text):
        address = urlsplit(target)
        if address.scheme:
            continue
        path = Path(os.path.normpath(file.parent / unquote(address.path))) if address.path else file
        lacks_heading = bool(address.fragment) and (
            path.suffix == ".md" and path.is_file() and address.fragment not in headings(path)
        )
        if not path.exists() or lacks_heading:
            broken.append(f"{file}: {target}")
    return broken


@lru_cache
def headings(file: Path) -> frozenset[str]:
    """Anchors of a Markdown file's headings, as the usual renderers make them."""
    text = FENCED.sub("", file.read_text(encoding="utf-8"))
    return frozenset(anchor(each) for each in HEADING.findall(text))


def anchor(heading: str) -> str:
    """The anchor of a heading.

    >>> anchor("The leakage check, and what it `cannot` see")
    'the-leakage-check-and-what-it-cannot-see'
    """
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain).strip().lower().replace(" ", "-")


class _Page(HTMLParser):
    """Anchors of a page, what it links to, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif (tag, name) in LOADING:
                self.loads.append(value)
            elif (tag, name) == ("a", "href"):
                self.links.append(value)


def broken_in_site(site: Path) -> list[str]:
    """Links of a built site that lead nowhere, and what its pages load from other hosts."""
    pages: dict[Path, _Page] = {}
    for file in sorted(site.rglob("*.html")):
        pages[file] = _Page()
        pages[file].feed(file.read_text(encoding="utf-8"))
    broken = []
    for file, page in pages.items():
        if file.name == "404.html":  # its links are those of the server's root
            continue
        loaded = [each for each in page.loads if urlsplit(each).netloc]
        broken += [f"{file.relative_to(site)} loads {each} from another host" for each in loaded]
        for target in [*page.links, *(each for each in page.loads if each not in loaded)]:
            address = urlsplit(target)
            if address.scheme or address.netloc:
                continue
            path = Path(os.path.normpath(file.parent / unquote(address.path)))
            meant = file if not address.path else path / "index.html" if path.is_dir() else path
            lacks = meant in pages and unquote(address.fragment) not in pages[meant].anchors
            if not meant.is_file() or lacks:
                broken.append(f"{file.relative_to(site)}: {target}")
    return broken


def main(site: Path) -> int:
    """Exit code: 0 if all links of the site lead somewhere, else 1."""
    found = broken_in_site(site)
    for line in found:
        print(line, file=sys.stderr)
    count = len(list(site.rglob("*.html")))
    print(f"{count} pages in {site}, {len(found)} broken links")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
