from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command


def test_shown_configuration_resolves_to_itself(command: Command, tmp_path: Path) -> None:
    shown = command("config", "show", "smoke", "search.sigma=0.05").out
    (tmp_path / "mine.yaml").write_text(shown)
    assert command("config", "show", "mine.yaml").out == shown
    assert command("config", "show", "mine.yaml", "--json").json["search"]["sigma"] == 0.05


def test_without_a_recipe_all_are_listed(command: Command) -> None:
    out = command("config", "show").out
    assert [line.partition(":")[0] for line in out.splitlines()] == [
        "abcd-laptop",
        "annealed-laptop",
        "backpropamine-laptop",
        "class-stream",
        "combinations-laptop",
        "internal-laptop",
        "laptop",
        "metaworld",
        "metaworld-smoke",
        "miconi2023",
        "miconi2023-internal",
        "miconi2023-internal-published",
        "oja-laptop",
        "poet-laptop",
        "poet-smoke",
        "random-birth-laptop",
        "smoke",
        "stream-laptop",
        "yang19",
        "yang19-laptop",
        "yang19-small",
    ]


def test_schema_explains_keys(command: Command) -> None:
    schema = command("config", "schema").json
    assert schema["properties"]["seed"]["description"] == "Root of every random number."
    sections = [schema, *schema["$defs"].values()]
    assert len(sections) > 7
    for section in sections:
        for key, about in section["properties"].items():
            assert about.get("description"), f"{section['title']}.{key} has no sentence"


def test_unknown_key_gets_the_nearest(command: Command) -> None:
    answer = command("config", "show", "smoke", "search.popsise=4")
    assert answer.code == 2
    assert "popsize" in answer.err
