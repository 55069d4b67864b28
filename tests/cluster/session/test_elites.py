"""A run that illuminates behaviour keeps its elites as genomes, and a map that is drawn."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from analysis.figures.archive import figure_archive, write_figures_archive
from analysis.store import read_directory
from cluster.config.run import RunConfig, load_config
from cluster.loop import evolve, resume
from evoplastic.genome.genome import Genome
from evoplastic.records.names import PEDIGREE_NAME


def small(generations: int, *overrides: str) -> RunConfig:
    return load_config(
        "smoke",
        [
            "tracking.enabled=false",
            "evaluation.controls=false",
            "evaluation.train_lifetimes=0",
            "evaluation.held_out_lifetimes=2",
            "search=map_elites",
            "search.popsize=12",
            "search.lifetimes=4",
            "search.sigma=0.3",
            "search.descriptors=[accuracy,mean_modulation]",
            "search.ranges={mean_modulation: [0.1, 0.3]}",
            f"evolution.generations={generations}",
            *overrides,
        ],
    )


def files_of(run_dir: Path) -> dict[str, bytes]:
    elites = (run_dir / "genomes" / "elites").iterdir()
    return {path.name: path.read_bytes() for path in (*elites, run_dir / "archive.json")}


def test_elites_are_kept_drawn_and_the_same_after_a_resume(tmp_path: Path) -> None:
    whole = evolve(small(4), tmp_path / "whole")
    evolve(small(2), tmp_path / "run")
    half = files_of(tmp_path / "run")
    resume(tmp_path / "run", ["evolution.generations=4"])
    archive = json.loads((tmp_path / "whole" / "archive.json").read_text())
    again = json.loads((tmp_path / "run" / "archive.json").read_text())
    assert archive == again
    assert files_of(tmp_path / "run") != half
    assert archive["generation"] == 4
    elites = {
        path.name: Genome.load(path) for path in (whole.run_dir / "genomes" / "elites").iterdir()
    }
    assert len(elites) == len(archive["elites"]) > 1
    for told in archive["elites"]:
        genome = elites[f"cell_{told['cell'][0]:03d}_{told['cell'][1]:03d}.safetensors"]
        assert genome.digest == told["genome"]
        assert genome.parents == ()
        assert (genome.operator, genome.provenance["generation"]) == ("map_elites", "4")
    pedigree = pd.read_parquet(whole.run_dir / PEDIGREE_NAME)
    last = pedigree[(pedigree["generation"] == 3) & pedigree["kept"]]
    assert {told["individual"] for told in archive["elites"]} == set(last["individual"])
    loss_of = dict(zip(last["individual"], last["loss"], strict=True))
    assert all(told["loss"] == loss_of[told["individual"]] for told in archive["elites"])
    best = min(archive["elites"], key=lambda told: told["loss"])
    assert best["genome"] == whole.center_digest
    assert last.loc[last["center"], "individual"].tolist() == [best["individual"]]
    records = read_directory(whole.run_dir)
    assert records.generations[-1].metrics["archive/coverage"] == len(elites) / 6
    files = write_figures_archive(records, tmp_path)
    assert [path.name for path in files] == ["archive.png", "archive.svg", "archive.csv"]
    numbers = pd.read_csv(tmp_path / "archive.csv")
    assert list(numbers) == ["cell_0", "cell_1", "accuracy", "mean_modulation", "loss", "genome"]
    assert len(numbers) == len(elites)
    figure = figure_archive(records)
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "accuracy (share)"
    assert figure.axes[0].get_ylabel() == "mean modulation (rate)"


def test_elites_are_bounded_in_size(tmp_path: Path) -> None:
    run = evolve(small(2, "evaluation.genomes_mib=0"), tmp_path / "run")
    assert not (run.run_dir / "genomes" / "elites").exists()
    assert json.loads((run.run_dir / "archive.json").read_text())["elites"]
