"""Links and fences of the repository's Markdown become those of the site."""

from __future__ import annotations

import pytest

from docs.generator.rewriting import for_the_site, with_fenced_examples, with_wide_lists


@pytest.mark.parametrize(
    ("uri", "written", "read"),
    [
        ("a.md", "[x](tasks.md#check-it)", "[x](tasks.md#check-it)"),
        ("a.md", "[x](../evoplastic/engines/README.md#p)", "[x](engines.md#p)"),
        ("results/a.md", "[x](../performance.md)", "[x](../performance.md)"),
        ("results/a.md", "[x](../../CONTRIBUTING.md)", "[x](../contributing.md)"),
        ("engines.md", "[x](../../docs/rules.md)", "[x](rules.md)"),
        ("a.md", "[x](../cluster/loop.py)", "[x](api/cluster.md#cluster.loop)"),
        ("python.md", "[x](../examples/README.md)", "[x](examples.md)"),
        ("examples.md", "[x](own_rule.py)", "[x](examples.md#own_rule)"),
        ("a.md", "[x](../pyproject.toml)", "x"),
        ("a.md", "[x](https://other.example/y)", "[x](https://other.example/y)"),
        ("a.md", "`cluster/loop.py`", "[`cluster/loop.py`](api/cluster.md#cluster.loop)"),
        ("a.md", "`cluster/gone.py`", "`cluster/gone.py`"),
        ("a.md", "```python x.py\n[x](y.md)\n```\n", '```python title="x.py"\n[x](y.md)\n```\n'),
        ("a.md", "```text\n`cluster/loop.py`\n```\n", "```text\n`cluster/loop.py`\n```\n"),
    ],
)
def test_links_and_fences(uri: str, written: str, read: str) -> None:
    assert for_the_site(written, uri) == read


def test_what_belongs_to_a_list_item_is_indented_by_four_columns() -> None:
    written = "- one\n  more\n\n      x = 1\n\ntext\n\n    code\n1. first\n   more\n"
    read = "- one\n    more\n\n        x = 1\n\ntext\n\n    code\n1. first\n    more\n"
    assert with_wide_lists(written) == read


def test_examples_of_docstrings_are_fenced() -> None:
    told = "Twice.\n\n    >>> 1 + 1\n    2\n\nThat is all."
    fenced = "Twice.\n\n```pycon\n    >>> 1 + 1\n    2\n```\n\nThat is all."
    assert with_fenced_examples(told) == fenced
    assert with_fenced_examples("A prompt is >>>.") == "A prompt is >>>."
