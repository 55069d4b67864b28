"""From Markdown as the repository shows it to Markdown as the site's generator reads it.

[text](../evoplastic/engines/README.md#parity)   becomes a link to the site's page of that file
`evoplastic/rules/table.py`                      becomes a link to the module's documentation
```python my_task.py                             gets the file's name as title
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from docs.generator.navigation import API, BORROWED, DOCS, ROOT
from docs.generator.scripts import EXAMPLES

FENCED = re.compile(r"^(```.*?^```[ ]*$)", re.MULTILINE | re.DOTALL)
NAMED_FENCE = re.compile(r"^```(\w+) ([^\s={}]+)$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
SOURCE = re.compile(r"(?<!\[)`((?:evoplastic|tasks|cluster|analysis)/[\w/]+\.py)`(?!\])")
ITEM = re.compile(r"(?:[-*]|\d\.) ")
EXAMPLE = re.compile(r"(?:^[ ]*>>> .*\n?)(?:^[ ]*\S.*\n?)*", re.MULTILINE)
OUTSIDE = ("http://", "https://", "mailto:", "#")


def for_the_site(markdown: str, uri: str) -> str:
    """A page's text with its links and fences as the site needs them.

    Args:
        markdown: the text as it is in the repository.
        uri: where the page is in the site, as a path with ".md".
    """
    borrowed = {page: path for path, page in BORROWED.items()}
    origin = borrowed.get(uri, DOCS / uri).parent
    parts = FENCED.split(markdown)
    for place, part in enumerate(parts):
        if part.startswith("```"):
            parts[place] = NAMED_FENCE.sub(r'```\1 title="\2"', part)
        else:
            parts[place] = with_wide_lists(_linked(part, origin, uri))
    return "".join(parts)


def with_wide_lists(text: str) -> str:
    """What belongs to a list item indented by four columns, not by the width of the item's mark."""
    lines, width = text.split("\n"), 0
    for place, line in enumerate(lines):
        mark = ITEM.match(line)
        if mark:
            width = len(mark[0])
        elif line and not line.startswith(" " * max(width, 1)):
            width = 0
        elif line and width:
            lines[place] = " " * (4 - width) + line
    return "\n".join(lines)


def with_fenced_examples(docstring: str) -> str:
    """A docstring in which each run of lines from ">>>" to the next empty line is a code block."""
    return EXAMPLE.sub(lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", docstring).rstrip()


def page_of(path: Path) -> str | None:
    """The site's page or file, with anchor, that stands for a file of the repository."""
    if path in BORROWED:
        return BORROWED[path]
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    if path == ROOT / "README.md":
        return "index.md"
    if path.parent == EXAMPLES and path.is_file():
        return f"examples.md#{path.stem}"
    if path.suffix == ".py" and path.is_file() and path.stem != "__main__":
        return _documented(path.relative_to(ROOT))
    return None


def _documented(source: Path) -> str:
    """Page and anchor of a module; a folder has one page for all of its modules."""
    module = ".".join(source.with_suffix("").parts).removesuffix(".__init__")
    return f"{API}{'.'.join(source.parent.parts)}.md#{module}"


def _linked(text: str, origin: Path, uri: str) -> str:
    here = os.path.dirname(uri) or "."

    def relative(page: str) -> str:
        path, mark, anchor = page.partition("#")
        return os.path.relpath(path, here) + mark + anchor

    def rewritten(found: re.Match[str]) -> str:
        words, target = found.groups()
        if target.startswith(OUTSIDE):
            return found[0]
        file, mark, anchor = target.partition("#")
        page = page_of(Path(os.path.normpath(origin / file)))
        return words if page is None else f"[{words}]({relative(page)}{mark}{anchor})"

    def sourced(found: re.Match[str]) -> str:
        page = page_of(ROOT / found[1])
        return found[0] if page is None else f"[{found[0]}]({relative(page)})"

    changes: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]
    changes = ((LINK, rewritten), (SOURCE, sourced))
    for pattern, change in changes:
        text = pattern.sub(change, text)
    return text
