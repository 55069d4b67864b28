"""A population whose ancestry is known: who came from whom, founders, distances, bad files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import evoplastic
from analysis.figures.pedigree.ancestry import figure_ancestry, most_given, places
from analysis.figures.pedigree.founders import colours_of, figure_founders
from analysis.figures.pedigree.writing import as_records, write_figures_pedigree
from analysis.lineage.distance import field_distances
from analysis.lineage.pedigree import Pedigree, ancestry, founder_shares, read_pedigree
from analysis.store import read_directory
from cluster.session.pedigree_table import table_of
from evoplastic.api.lineage import BREEDING, Population, population
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.records.names import PEDIGREE_NAME, kept_name
from evoplastic.search.catalogue import SEARCHES
from tests.analysis import runs

LAYOUT = Layout(NeuronGroups(num_neurons=13))
NUMBERS = 8  # of an individual
FIRST: dict[int, tuple[str, dict[int, int]]] = {
    0: ("first genome", {}),
    1: ("mutation of the first genome", {}),
}


def line(
    generation: int,
    lives: dict[int, tuple[str, dict[int, int]]],
    kept: set[int],
    center: int,
) -> dict[str, Any]:
    """What a run writes down of a generation; without an operator, who lived before."""
    return {
        "generation": generation,
        "numbers": NUMBERS,
        "center": center,
        "individual": list(lives),
        "operator": [operator for operator, _ in lives.values()],
        "parents": [list(given) for _, given in lives.values()],
        "given": [list(given.values()) for _, given in lives.values()],
        "loss": [None if who == 1 else 1 / (1 + who) for who in lives],
        "kept": [int(who in kept) for who in lives],
    }


def lines() -> list[dict[str, Any]]:
    """Founders 0 to 2; 7 is three fourths 0 and one 1, 11 half 7 and half 2, 15 a mutant of 11."""
    founders = {**FIRST, 2: ("mutation of the first genome", {})}
    old: tuple[str, dict[int, int]] = ("", {})
    return [
        line(0, {**founders, 7: ("cross-over", {0: 6, 1: 2})}, {0, 2, 7}, 7),
        line(1, {7: old, 0: old, 2: old, 11: ("cross-over", {2: 4, 7: 4})}, {11, 7, 2}, 11),
        line(2, {11: old, 7: old, 2: old, 15: ("mutation", {11: 8})}, {15, 11, 7}, 15),
    ]


def read(tmp_path: Path, told: list[dict[str, Any]]) -> Pedigree:
    (tmp_path / PEDIGREE_NAME).write_bytes(table_of(told, "small-5"))
    pedigree = read_pedigree(tmp_path)
    assert pedigree is not None
    return pedigree


@pytest.fixture
def pedigree(tmp_path: Path) -> Pedigree:
    return read(tmp_path, lines())


def test_the_ancestry_is_everybody_that_an_individual_came_from(pedigree: Pedigree) -> None:
    assert (pedigree.champion, pedigree.founders) == (15, [0, 1, 2])
    assert pedigree.centers == {0: 7, 1: 11, 2: 15}
    table = ancestry(pedigree).set_index("individual")
    assert table["passed_on"].to_dict() == {0: 0.375, 1: 0.125, 2: 0.5, 7: 0.5, 11: 1.0, 15: 1.0}
    assert table["born"].to_dict() == {0: 0, 1: 0, 2: 0, 7: 0, 11: 1, 15: 2}
    assert table.loc[7, ["founder", "from_founder"]].tolist() == [0, 0.75]
    assert table.loc[15, ["founder", "from_founder"]].tolist() == [2, 0.5]
    assert table.loc[11, "parents"] == [2, 7]
    assert ancestry(pedigree, 7)["individual"].tolist() == [0, 1, 7]
    with pytest.raises(UsageError, match="individual 3 is not in the pedigree"):
        ancestry(pedigree, 3)


def test_shares_of_founders_are_those_of_the_kept(pedigree: Pedigree) -> None:
    wide = founder_shares(pedigree).pivot_table("share", "generation", "founder", fill_value=0)
    kept: dict[int, list[tuple[float, ...]]] = {0: [(1, 0, 0), (0, 0, 1), (0.75, 0.25, 0)]}
    kept[1] = [(0.375, 0.125, 0.5), (0.75, 0.25, 0), (0, 0, 1)]
    kept[2] = [(0.375, 0.125, 0.5), (0.375, 0.125, 0.5), (0.75, 0.25, 0)]
    for generation, vectors in kept.items():
        np.testing.assert_allclose(wide.loc[generation], np.mean(vectors, axis=0))
    assert wide.sum(axis=1).round(12).eq(1).all()


def test_where_births_are_gone_who_is_left_founds(tmp_path: Path) -> None:
    pedigree = read(tmp_path, lines()[1:])
    assert pedigree.founders == [0, 2, 7]
    assert pedigree.births[7].operator == "not recorded"
    table = ancestry(pedigree).set_index("individual")
    assert table["passed_on"].to_dict() == {2: 0.5, 7: 0.5, 11: 1.0, 15: 1.0}
    assert pd.isna(table.loc[7, "born"])
    first, *_ = as_records(ancestry(pedigree))
    assert (first["born"], first["parents"]) == (None, [])
    alone = read(tmp_path, lines()[2:])
    assert alone.founders == [2, 7, 11]
    assert founder_shares(alone)["share"].sum() == pytest.approx(1.0)


def test_lanes_are_free_and_the_champions_line_is_straight(pedigree: Pedigree) -> None:
    place = places(ancestry(pedigree))
    assert [place[who] for who in (15, 11, 2)] == [(2.0, 0), (1.0, 0), (-1.0, 0)]
    assert place[7].lane == place[0].lane != 0
    assert len({*place.values()}) == len(place) == 6


def test_of_too_many_ancestors_those_are_drawn_who_gave_most(pedigree: Pedigree) -> None:
    table = ancestry(pedigree)
    assert most_given(table, 4)["individual"].tolist() == [2, 7, 11, 15]
    assert most_given(table, 5)["individual"].tolist() == [0, 2, 7, 11, 15]
    assert most_given(table, 1)["individual"].tolist() == [2, 11, 15]  # the line of first parents
    random = np.random.default_rng(0)
    table = long_ancestry(random)
    drawn = most_given(table, 40)
    assert len(drawn) <= 40
    assert set(places(drawn)) == set(drawn["individual"])


def long_ancestry(random: np.random.Generator) -> pd.DataFrame:
    """Thirty generations of ten, each of two parents of the generation before."""
    told = [line(0, {who: ("mutation", {}) for who in range(10)}, set(range(10)), 0)]
    for generation in range(1, 30):
        before, now = 10 * (generation - 1), 10 * generation
        lives = {
            now + at: (
                "cross-over",
                dict(zip((before + random.permutation(10)[:2]).tolist(), (5, 3), strict=True)),
            )
            for at in range(10)
        }
        told.append(line(generation, lives, set(lives), now))
    import io

    return ancestry(Pedigree(pd.read_parquet(io.BytesIO(table_of(told, "run")))))


def run_of(folder: Path) -> Path:
    """A run directory with the population, its first genome and two centers."""
    run = runs.write_run(folder, runs.whole_run())
    (run / PEDIGREE_NAME).write_bytes(table_of(lines(), "small-5"))
    first = Genome.random(LAYOUT, 3, GenomeConfig())
    first.save(run / "genomes" / "initial.safetensors")
    for generation, step in ((0, 0.0), (2, 0.5)):
        moved_G = first.center_G + step * LAYOUT.mask_G
        center = Genome(LAYOUT, moved_G.to(torch.float32), {"generation": str(generation)})
        center.save(run / "genomes" / kept_name(generation))
    return run


def test_distances_are_those_of_kept_genomes_from_the_first(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    records, pedigree = read_directory(run), read_pedigree(run)
    assert pedigree is not None
    table = field_distances(records, pedigree)
    assert table["field"].tolist() == ["w", "alpha"] * 2
    assert table["generation"].tolist() == [0, 0, 2, 2]
    np.testing.assert_allclose(table["rms"], [0, 0, 0.5, 0.5], atol=1e-6)
    scales = [field.scale for field in LAYOUT.fields]
    np.testing.assert_allclose(table["in_scales"].iloc[2:], [0.5 / scale for scale in scales], 1e-5)
    assert table["individual"].tolist() == [pd.NA, pd.NA, 11, 11]


@pytest.mark.exhaustive
def test_figures_come_with_their_numbers_in_every_format(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    files = write_figures_pedigree(read_directory(run), tmp_path / "figures")
    assert {file.name for file in files} == {
        f"pedigree_{name}.{kind}"
        for name in ("ancestry", "founders", "distance")
        for kind in ("png", "svg", "pdf", "csv", "json")
    }
    numbers = json.loads((tmp_path / "figures" / "pedigree_ancestry.json").read_text())
    assert numbers[-1] | {"passed_on": 1.0, "parents": [11]} == numbers[-1]
    rows = pd.read_csv(tmp_path / "figures" / "pedigree_ancestry.csv")
    assert rows["parents"].tolist()[-3:] == ["0 1", "2 7", "11"]
    svg = (tmp_path / "figures" / "pedigree_ancestry.svg").read_text()
    assert all(f'id="{name}"' in svg for name in ("champion", "descent", "founder-0", "founder-2"))
    (run / PEDIGREE_NAME).unlink()
    assert write_figures_pedigree(read_directory(run), tmp_path / "none") == []


@pytest.mark.exhaustive
def test_figures_are_the_same_bytes_again(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    once, again = (
        write_figures_pedigree(read_directory(run), tmp_path / name) for name in ("once", "again")
    )
    assert [file.read_bytes() for file in once] == [file.read_bytes() for file in again]


def test_a_founder_has_one_colour_in_all_figures(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    records, pedigree = read_directory(run), read_pedigree(run)
    assert pedigree is not None
    founders = founder_shares(pedigree)
    colours = colours_of(founders)
    assert list(colours) == [0, 2, 1]
    legends = [
        {text.get_text() for text in figure.legends[0].get_texts()}
        for figure in (
            figure_founders(records, founders),
            figure_ancestry(records, ancestry(pedigree), founders),
        )
    ]
    assert legends == [{"founder 0", "founder 1", "founder 2"}] * 2


def test_from_python_a_run_has_its_population(tmp_path: Path) -> None:
    found = population(run_of(tmp_path / "run"))
    assert isinstance(found, Population)
    assert set(found.tables) == {"ancestry", "founders", "distance"}
    assert len(found.table) == 12
    assert found.ancestry(7)["individual"].tolist() == [0, 1, 7]
    with pytest.raises(UsageError, match="is a file, expected a folder"):
        found.draw(tmp_path / "run" / "journal.ndjson")
    family = evoplastic.lineage(tmp_path / "run")
    assert family.population is not None
    assert family.population.champion == 15
    assert {genome["run_id"] for genome in family.genomes} == {"small-5", ""}


def test_a_run_without_a_population_is_told_why(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    for search, message in (
        ("es", r"search is 'es', and those that keep individuals are ga, .*leave out --population"),
        ("ga", "begun by an earlier version, has not been measured yet"),
    ):
        config = run / "config.resolved.yaml"
        config.write_text(f"{runs.CONFIG.format(uri='null')}search:\n  name: {search}\n")
        with pytest.raises(UsageError, match=message):
            population(run)


def test_searches_that_keep_individuals_are_named() -> None:
    size = {"popsize": 16}
    keeping = [
        name
        for name, entry in SEARCHES.items()
        if "best_individual"
        in (search := entry.build(entry.options(**size), LAYOUT, seed=0, engine="cpu")).tensors(
            search.init(torch.zeros(LAYOUT.size))
        )
    ]
    assert sorted(keeping) == sorted(BREEDING)


def forged(change: Callable[[list[dict[str, Any]]], None]) -> bytes:
    told = lines()
    change(told)
    return table_of(told, "run")


def a_circle(told: list[dict[str, Any]]) -> None:
    told[0]["parents"][3] = [11, 1]


def too_much(told: list[dict[str, Any]]) -> None:
    told[1]["given"][3] = [8, 8]


def nobody(told: list[dict[str, Any]]) -> None:
    for each in told:
        each["center"] = 99


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: b"PAR1 nonsense", "holds no pedigree"),
        (lambda: forged(a_circle), r"individual 7 has parents \[11, 1\], expected lower numbers"),
        (lambda: forged(too_much), r"individual 11 has the shares \[1\.0, 1\.0\]"),
        (lambda: forged(nobody), "nobody stands for the search"),
        (lambda: table_of([], "run"), "it has no row"),
    ],
)
def test_a_damaged_or_forged_pedigree_is_refused(
    content: Callable[[], bytes], message: str, tmp_path: Path
) -> None:
    (tmp_path / PEDIGREE_NAME).write_bytes(content())
    with pytest.raises(UsageError, match=message) as said:
        read_pedigree(tmp_path)
    assert str(tmp_path / PEDIGREE_NAME) in str(said.value)


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"generation": [1]}).to_parquet(tmp_path / PEDIGREE_NAME)
    with pytest.raises(UsageError, match="its schema is None"):
        read_pedigree(tmp_path)
