"""Docstrings as Markdown, for mkdocstrings: examples with their prompts become blocks of code."""

from __future__ import annotations

from typing import Any

import griffe

from docs.generator.rewriting import with_fenced_examples


class Docstrings(griffe.Extension):
    """Changes every docstring before it is read as Markdown."""

    def on_object(self, *, obj: Any, **_: Any) -> None:
        """Fence the examples of one module, class, function or field."""
        if obj.docstring is not None:
            obj.docstring.value = with_fenced_examples(obj.docstring.value)
