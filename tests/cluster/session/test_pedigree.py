"""The pedigree of a population: written down, bounded, and the same after whatever happened."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cluster.config.run import RunConfig
from cluster.experiment import build_experiment
from cluster.loop import evolve, resume
from cluster.session.pedigree import Pedigree, line_of, thinned
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.names import PEDIGREE_LOG_NAME, PEDIGREE_NAME, kept_name
from evoplastic.search.individuals import Individuals, Register
from tests.cluster.test_loop import At
from tests.cluster.test_loop import small as smoke


def small(*overrides: str) -> RunConfig:
    return smoke(
        "search=ga", "search.popsize=8", "search.lifetimes=2", "evaluation.every=1", *overrides
    )


def table_in(run_dir: Path) -> pd.DataFrame:
    return pd.read_parquet(run_dir / PEDIGREE_NAME)


def log_in(run_dir: Path) -> bytes:
    return (run_dir / PEDIGREE_LOG_NAME).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing disturbs."""
    return evolve(small(), tmp_path_factory.mktemp("whole") / "run").run_dir


def test_every_individual_has_a_row_for_each_generation_in_which_it_lived(whole: Path) -> None:
    table = table_in(whole)
    assert list(table) == [
        *("generation", "individual", "parents", "shares", "operator", "born", "loss", "kept"),
        "center",
    ]
    assert table.groupby("generation").size().to_dict() == dict.fromkeys(range(4), 8)
    assert table.groupby("generation")["kept"].sum().to_dict() == dict.fromkeys(range(4), 4)
    assert table.groupby("generation")["center"].sum().to_dict() == dict.fromkeys(range(4), 1)
    for _, lives in table.groupby("individual"):
        assert lives["generation"].tolist() == list(
            range(lives["born"].iloc[0], lives["born"].iloc[0] + len(lives))
        )
        assert lives["kept"].iloc[:-1].all()
        assert lives["operator"].nunique() == 1
    founders = table[table["born"] == 0].drop_duplicates("individual").head(4)
    assert founders["individual"].tolist() == [0, 1, 2, 3]
    assert founders["operator"].tolist() == ["first genome", *["mutation of the first genome"] * 3]
    children = table[table["operator"] == "one-point cross-over, mutation"]
    assert (children["shares"].map(sum) == 1.0).all()
    assert children["parents"].map(len).isin([1, 2]).all()
    for row in children.drop_duplicates("individual").itertuples():
        before = table[(table["generation"] == row.born - 1) & table["kept"]]
        parents = before["individual"] if row.born else founders["individual"]
        assert set(row.parents) <= set(parents)


def test_what_selection_saw_and_whom_it_took_is_enough_to_make_every_individual_again(
    whole: Path,
) -> None:
    """The search alone, told the losses of the table, ends in each kept center."""
    table, experiment = table_in(whole), build_experiment(small())
    search = experiment.search
    state = search.init(experiment.first_genome().center_G)
    genomes: dict[int, torch.Tensor] = {}
    for generation, lives in table.groupby("generation"):
        proposal = search.ask(state, int(generation))
        genomes_PG = proposal.genomes(search.center(state), experiment.layout)[::2]
        for individual, genome_G in zip(lives["individual"], genomes_PG, strict=True):
            assert torch.equal(genomes.setdefault(individual, genome_G), genome_G)
        state = search.tell(state, proposal, np.repeat(lives["loss"].to_numpy(), 2)).state
        (center,) = lives.loc[lives["center"], "individual"]
        kept = Genome.load(whole / "genomes" / kept_name(int(generation) + 1))
        assert torch.equal(genomes[center], kept.center_G)


@pytest.mark.exhaustive
def test_a_run_that_was_stopped_or_killed_has_the_same_pedigree(
    whole: Path, tmp_path: Path
) -> None:
    stop = At(2, lambda: os.kill(os.getpid(), signal.SIGTERM))
    cut = evolve(small(), tmp_path / "cut", progress=stop).run_dir
    assert table_in(cut)["generation"].max() == 1
    # As if it had been killed after a generation was written down and before its checkpoint, and
    # amid a line of the one after.
    lines = log_in(whole).splitlines(keepends=True)
    (cut / PEDIGREE_LOG_NAME).write_bytes(b"".join(lines[:2]) + lines[2] + lines[3][:40])
    resume(cut)
    assert log_in(cut) == log_in(whole)
    pd.testing.assert_frame_equal(table_in(cut), table_in(whole))
    # The newest checkpoint is lost: two generations are lived again.
    for path in sorted((cut / "checkpoints").glob("gen_*"))[1:]:
        path.unlink()
    (cut / PEDIGREE_NAME).unlink()
    resume(cut)
    assert log_in(cut) == log_in(whole)
    pd.testing.assert_frame_equal(table_in(cut), table_in(whole))


def generation(number: int, kept: int = 2) -> Individuals:
    """Four children of one that lived before, of whom some are kept; the third is a grandchild."""
    register = Register(100 * (number + 1))
    register.lives(7)
    first = register.born("mutation", {7: 5})
    register.born("mutation", {first: 5})
    register.born("cross-over", {7: 2, first: 3})
    births = register.births()
    kept_P = np.array([kept > 0, False, kept > 1, False])
    return Individuals(number, 5, births, np.array([0.5, 0.25, np.nan, 1.0]), kept_P, 7)


def test_who_left_nothing_goes_first_then_the_oldest_generations() -> None:
    lines = [line_of(generation(number)) for number in range(6)]
    size, whole_size = len(lines[0]), sum(map(len, lines))
    assert thinned(lines, 2 * whole_size) == lines
    shorter = thinned(lines, int(1.26 * whole_size))  # three quarters of it are a bit less
    assert [len(json.loads(line)["individual"]) for line in shorter] == [3, 3, 3, 4, 4, 4]
    assert json.loads(shorter[0])["individual"] == [7, 101, 102]  # the parent of one that was kept
    few = thinned(lines, 4 * size)
    assert sum(map(len, few)) <= 3 * size
    assert [json.loads(line)["generation"] for line in few] == [3, 4, 5]
    assert thinned(lines, 1) == lines[-2:]


def test_within_a_bound_a_resumed_pedigree_is_that_of_one_go(tmp_path: Path) -> None:
    mib = 5.5 * len(line_of(generation(0))) / 2**20
    one_go = Pedigree(tmp_path / "a", "run", mib, 0)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for number in range(40):
        one_go.append(generation(number))
        again = Pedigree(tmp_path / "b", "run", mib, number)
        again.append(generation(number))
        if number % 3 == 0:  # not yet in a checkpoint
            again = Pedigree(tmp_path / "b", "run", mib, number)
            again.append(generation(number))
        assert log_in(tmp_path / "a") == log_in(tmp_path / "b")
        assert len(log_in(tmp_path / "a")) <= mib * 2**20
    one_go.write_table()
    table = table_in(tmp_path / "a")
    assert table["generation"].nunique() < 6
    old = table[table["individual"] == 7]
    assert set(old["operator"]) == {"not recorded"}
    assert old["born"].isna().all()
    assert old["parents"].map(len).tolist() == [0] * len(old)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: [lines[0], lines[2]], "line 2 is of generation 2, expected 1; restore"),
        (lambda lines: [lines[0]], "ends with generation 0, and 3 are behind the checkpoint"),
        (lambda lines: [lines[0], b"[]\n", lines[2]], "line 2 holds no generation; restore"),
        (lambda lines: [lines[0], b'{"generation": 1}\n'], "line 2 holds no generation; restore"),
        (lambda lines: [lines[0], b"\xff\n"], "line 2 holds no generation; restore"),
    ],
)
def test_a_damaged_pedigree_is_refused(damage, message: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    lines = [line_of(generation(number)) for number in range(3)]
    (tmp_path / PEDIGREE_LOG_NAME).write_bytes(b"".join(damage(lines)))
    with pytest.raises(UsageError, match=message):
        Pedigree(tmp_path, "run", 1.0, 3)


def test_a_run_begun_by_an_earlier_version_has_one_from_there_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pedigree = Pedigree(tmp_path, "run", 1.0, 3)
    with caplog.at_level(logging.WARNING):
        pedigree.append(generation(3))
    assert "the pedigree begins at generation 3" in caplog.text
    pedigree.append(generation(4))
    pedigree.write_table()
    assert table_in(tmp_path)["generation"].tolist() == [3] * 4 + [4] * 4


@pytest.mark.exhaustive
def test_none_is_written_where_none_is_wanted_or_no_individual_is_kept(tmp_path: Path) -> None:
    none = evolve(small("evaluation.pedigree_mib=0", "evolution.generations=1"), tmp_path / "none")
    center = evolve(smoke("evolution.generations=1"), tmp_path / "center")
    for run in (none, center):
        assert not list(run.run_dir.glob("pedigree*"))
