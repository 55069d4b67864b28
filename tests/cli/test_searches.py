"""searches: every search listed, any of them shown with its options, and compared."""

from __future__ import annotations

import json

import pytest

from evoplastic.search.catalogue import SEARCHES
from tests.cli.conftest import Command


def test_all_searches_are_listed(command: Command) -> None:
    found = command("searches", "list")
    assert found.code == 0
    assert all(name in found.out for name in SEARCHES)
    rows = json.loads(command("searches", "list", "--json").out)
    assert [row["name"] for row in rows] == list(SEARCHES)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_is_shown_with_source_and_options(command: Command, name: str) -> None:
    shown = json.loads(command("searches", "show", name, "--json").out)
    assert (shown["name"], shown["source"]) == (name, SEARCHES[name].source)
    options = {option["name"]: option for option in shown["options"]}
    assert options["popsize"]["default"] == SEARCHES[name].options().popsize
    assert all(option["description"] for option in shown["options"])


def test_options_are_shown_as_they_are_set(command: Command) -> None:
    found = command("searches", "show", "cmaes")
    assert found.code == 0
    assert "search.covariance" in found.out
    assert "separable" in found.out


def test_an_unknown_search_is_refused_with_the_nearest(command: Command) -> None:
    for words in (("show", "cmeas"), ("compare", "cmeas")):
        found = command("searches", *words)
        assert found.code == 2
        assert "did you mean 'cmaes'" in found.err


def test_a_recipe_that_is_not_there_is_refused_before_anything_is_compared(
    command: Command,
) -> None:
    found = command("searches", "compare", "snes", "--recipe", "smok")
    assert found.code == 2
    assert "did you mean 'smoke'" in found.err


@pytest.mark.exhaustive
def test_searches_are_compared_on_an_optimum_and_on_a_recipe(command: Command) -> None:
    found = command(
        *("searches", "compare", "snes", "engine=reference", "search.popsize=8"),
        *("--evaluations", 2000, "--lifetimes", 40, "search.lifetimes=2", "--json"),
    )
    assert found.code == 0
    (row,) = found.json
    assert (row["search"], row["lifetimes"], row["generations"]) == ("snes", 48, 3)
    assert row["share_left"] < 0.1
    assert row["seconds"] > 0
