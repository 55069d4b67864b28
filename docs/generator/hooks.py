"""What MkDocs asks of us while it builds the site; the configuration is `mkdocs.yml`."""

from __future__ import annotations

from typing import Any

from mkdocs.structure.files import File

from docs.generator.navigation import BORROWED, navigation
from docs.generator.reference import generated_pages
from docs.generator.rewriting import for_the_site
from docs.generator.scripts import borrowed_page

PAGES = generated_pages()


def on_config(config: Any) -> Any:
    """Every page has a place in the navigation, those that nobody placed as well."""
    config.nav = navigation(PAGES)
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add what is read off the code, and pages that lie elsewhere in the repository."""
    for uri, text in PAGES.items():
        files.append(File.generated(config, uri, content=text))
    for path, uri in BORROWED.items():
        files.append(File.generated(config, uri, content=borrowed_page(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links to files of the repository lead to pages of the site."""
    return for_the_site(markdown, page.file.src_uri)
