"""Lineages of genome files, as they are read, refused, and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.lineage.folders import node_of, nodes_of, runs_near
from analysis.lineage.graph import Graph, Key, Node
from analysis.lineage.view import as_html, as_json, as_lines, as_svg, write
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.genome.parents import OPERATOR, Parent
from evoplastic.network.neurons import NeuronGroups

LAYOUT = Layout(NeuronGroups(num_neurons=13))


def digest(letter: str) -> str:
    return letter * 64


def center(run: str, generation: int, letter: str, *parents: Parent) -> Node:
    return Node(Key(run, generation, digest(letter)), parents, "es", generation / 100, "here")


def two_runs() -> list[Node]:
    """Run one: a b c d; run two begins with c."""
    return [
        Node(Key("one", 0, digest("a")), (), "random"),
        center("one", 10, "b", Parent(digest("a"), "one", 0)),
        center("one", 20, "c", Parent(digest("b"), "one", 10)),
        center("one", 30, "d", Parent(digest("c"), "one", 20)),
        Node(Key("two", 0, digest("c")), (Parent(digest("c"), "one", 20),), "warm start"),
        center("two", 10, "e", Parent(digest("c"), "two", 0)),
        Node(Key("other", 0, digest("f")), (), "random"),
    ]


def test_a_family_is_who_a_genome_came_from_and_who_came_from_it() -> None:
    family = Graph(two_runs()).family([Key("one", 20, digest("c"))])
    assert {(key.run_id, key.generation) for key in family.nodes} == {
        *(("one", generation) for generation in (0, 10, 20, 30)),
        ("two", 0),
        ("two", 10),
    }
    without_d = Graph(two_runs()).family([Key("two", 10, digest("e"))])
    assert Key("one", 30, digest("d")) not in without_d.nodes
    assert family.founders == [Key("one", 0, digest("a"))]


def test_a_tree_shows_branches_and_what_is_in_focus() -> None:
    focus = {Key("two", 10, digest("e"))}
    graph = Graph(two_runs())
    (root,) = as_lines(graph.family([Key("one", 0, digest("a"))]), focus)
    assert root.text.startswith(f"{'a' * 16}  one@0  random")
    (second,) = root.below
    (third,) = second.below
    begun, went_on = third.below
    assert "two@0  warm start" in begun.text
    assert "one@30" in went_on.text
    assert begun.below[0].focus


def test_a_long_stretch_of_one_run_is_one_line() -> None:
    nodes = [Node(Key("one", 0, digest("a")), (), "random")]
    for generation in range(1, 3000):
        before = nodes[-1].key
        parent = Parent(before.digest, "one", before.generation)
        nodes.append(Node(Key("one", generation, f"{generation:064x}"), (parent,), "es"))
    for focus in (set(), {node.key for node in nodes}):
        (root,) = as_lines(Graph(nodes), focus)
        stretch = root.below[0]
        assert (stretch.text, stretch.focus) == ("… 2998 centers of this run", bool(focus))
        assert "one@2999" in stretch.below[0].text
    assert "one@2999" in root.below[0].below[0].text
    assert as_svg(Graph(nodes), set()).count("<circle") == 3000


def test_a_run_below_this_folder_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for where, told in ((str(tmp_path / "runs" / "one"), "  runs/one"), ("/else/where",) * 2):
        (line,) = as_lines(Graph([Node(Key("one", 0, digest("a")), (), where=where)]), set())
        assert line.text.endswith(told)


def test_a_genome_of_two_parents_names_the_second() -> None:
    child = center("three", 5, "e", Parent(digest("a"), "one", 1), Parent(digest("b"), "two", 2))
    graph = Graph([center("one", 1, "a"), center("two", 2, "b"), child])
    first = next(line for line in as_lines(graph, set()) if "one@1" in line.text)
    assert f"and from {'b' * 16}" in first.below[0].text
    assert len(graph.family([Key("two", 2, digest("b"))]).nodes) == 3 - 1 + 1


def test_a_center_that_did_not_move_is_no_circle_and_a_parent_may_be_unknown() -> None:
    nodes = [
        Node(Key("one", 10, digest("a")), (Parent(digest("a"), "one", 0),)),
        Node(Key("one", 20, digest("a")), (Parent(digest("a"), "one"),)),  # of an earlier version
    ]
    graph = Graph(nodes)
    assert graph.parents[Key("one", 20, digest("a"))] == (Key("one", 10, digest("a")),)
    assert graph.founders == [Key("one", 0, digest("a"))]
    assert "not found here" in as_lines(graph, set())[0].text


def saved(folder: Path, name: str, seed: int, run_id: str, parents: tuple[Parent, ...]) -> Genome:
    """A genome file of a run directory that has nothing else."""
    drawn = Genome.random(LAYOUT, seed, GenomeConfig())
    made = {"run_id": run_id, "generation": "0", OPERATOR: "warm start"}
    genome = Genome(LAYOUT, drawn.center_G, made, parents)
    genome.save(folder / "genomes" / name)
    (folder / "journal.ndjson").touch()
    return genome


def test_a_forged_circle_is_refused_with_its_digests(tmp_path: Path) -> None:
    one = Genome.random(LAYOUT, 1, GenomeConfig())
    two = saved(tmp_path / "b", "initial.safetensors", 2, "b", (Parent(one.digest, "a", 0),))
    saved(tmp_path / "a", "initial.safetensors", 1, "a", (Parent(two.digest, "b", 0),))
    runs = runs_near([tmp_path])
    assert [run.name for run in runs] == ["a", "b"]
    with pytest.raises(UsageError, match="said to come from each other") as refused:
        Graph(node for run in runs for node in nodes_of(run))
    assert one.digest[:16] in str(refused.value)
    assert two.digest[:16] in str(refused.value)


def test_a_file_that_is_no_genome_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved(tmp_path / "a", "initial.safetensors", 1, "a", ())
    (tmp_path / "a" / "genomes" / "gen_00000010.safetensors").write_bytes(b"no")
    assert len(list(nodes_of(tmp_path / "a"))) == 1
    assert "gen_00000010.safetensors is no whole genome" in caplog.text
    list(nodes_of(tmp_path / "a"))
    assert len(caplog.records) == 1, "each is told once"
    assert node_of(tmp_path / "a" / "journal.ndjson") is None
    (tmp_path / "a" / "journal.ndjson").unlink()
    assert len(list(nodes_of(tmp_path / "a"))) == 1
    assert "journal.ndjson cannot be read" in caplog.text


def test_pages_and_pictures_hold_every_genome_and_run_no_code_of_names(tmp_path: Path) -> None:
    graph = Graph(
        [*two_runs(), Node(Key("<script>x</script>", 0, digest("9")), (), "random", None, "&here")]
    )
    page = as_html(graph, set())
    assert page.count("<circle") == len(graph.nodes)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    told = as_json(graph, {Key("one", 0, digest("a"))})
    assert len(told["genomes"]) == len(graph.nodes)
    assert told["focus"][0]["digest"] == digest("a")
    for name in ("l.html", "l.svg", "l.json"):
        write(graph, set(), tmp_path / name)
    assert json.loads((tmp_path / "l.json").read_text())["genomes"] == told["genomes"]
    with pytest.raises(UsageError, match=r"expected one of \.html, \.svg, \.json"):
        write(graph, set(), tmp_path / "l.png")
