"""Pages that are read off the code when the site is built, so that no copy can grow old."""

from __future__ import annotations

from docs.generator.api import api_pages
from docs.generator.command_line import command_line_page
from docs.generator.configuration import configuration_page
from docs.generator.entries import recipes_page, rules_page, tables_page


def generated_pages() -> dict[str, str]:
    """Text of each page, by its path within the documentation."""
    return {
        "reference/configuration.md": configuration_page(),
        "reference/command_line.md": command_line_page(),
        "reference/rules.md": rules_page(),
        "reference/tables.md": tables_page(),
        "reference/recipes.md": recipes_page(),
        **api_pages(),
    }
