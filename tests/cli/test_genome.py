from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evoplastic.genome.genome import Genome
from tests.cli.conftest import Command
from tests.cli.test_evaluate import QUICK


@pytest.fixture
def matrices(tmp_path: Path) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    w, alpha = random.normal(size=(16, 16)), random.uniform(size=(16, 16))
    w[:5] = 0.0  # stimulus, feedback and bias neurons receive no innate weights
    np.savetxt(tmp_path / "w.txt", w)
    np.savetxt(tmp_path / "alpha.txt", alpha)
    return w, alpha


def test_import_keeps_every_value(
    command: Command, tmp_path: Path, matrices: tuple[np.ndarray, np.ndarray]
) -> None:
    answer = command("genome", "import", "--w", "w.txt", "--alpha", "alpha.txt", "--out", "g.st")
    assert answer.code == 0
    genome = Genome.load(tmp_path / "g.st")
    np.testing.assert_allclose(genome.values["w"].numpy(), matrices[0], rtol=1e-6)
    np.testing.assert_allclose(genome.values["alpha"].numpy(), matrices[1], rtol=1e-6)
    assert genome.digest in answer.out


def test_import_refuses_matrices_of_two_sizes(
    command: Command, tmp_path: Path, matrices: tuple[np.ndarray, np.ndarray]
) -> None:
    np.savetxt(tmp_path / "alpha.txt", np.zeros((15, 15)))
    answer = command("genome", "import", "--w", "w.txt", "--alpha", "alpha.txt", "--out", "g.st")
    assert answer.code == 2
    assert "(16, 16)" in answer.err
    assert "(15, 15)" in answer.err
    assert not (tmp_path / "g.st").exists()


def test_show_describes(command: Command, genome_file: Path) -> None:
    text, described = (
        command("genome", "show", genome_file),
        command("genome", "show", genome_file, "--json"),
    )
    digest = Genome.load(genome_file).digest
    assert text.code == described.code == 0
    assert digest in text.out
    assert described.json["digest"] == digest
    assert described.json["neurons"] == 16


def test_show_finds_the_center_of_a_run_directory(
    command: Command, tmp_path: Path, genome_file: Path
) -> None:
    center = tmp_path / "run" / "genomes" / "center.safetensors"
    center.parent.mkdir(parents=True)
    center.write_bytes(genome_file.read_bytes())
    assert command("genome", "show", tmp_path / "run", "--json").json["neurons"] == 16


def test_a_generation_of_a_run_is_named_by_its_number(
    command: Command, tmp_path: Path, genome_file: Path
) -> None:
    kept = tmp_path / "runs" / "mine" / "genomes" / "gen_00000040.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(genome_file.read_bytes())
    for word in ("runs/mine@40", "mine@40"):
        assert command("genome", "show", word, "--json").json["neurons"] == 16
    assert command("genome", "diff", "mine@40", genome_file).code == 0
    answer = command("genome", "show", "mine@41")
    assert answer.code == 2
    assert "here of generations 40" in answer.err


def test_truncated_genome_is_named(command: Command, genome_file: Path) -> None:
    genome_file.write_bytes(genome_file.read_bytes()[:-100])
    answer = command("genome", "show", genome_file)
    assert answer.code == 2
    assert str(genome_file) in answer.err


def test_diff_measures_the_distance(command: Command, tmp_path: Path, genome_file: Path) -> None:
    old = Genome.load(genome_file)
    moved_G = old.center_G.clone()
    moved_G[-1] += 3.0
    Genome(old.layout, moved_G).save(tmp_path / "moved.st")
    differences = command("genome", "diff", genome_file, "moved.st", "--json").json
    assert differences["w"]["distance"] == 0.0
    assert differences["w"]["correlation"] == pytest.approx(1.0)
    assert differences["alpha"]["distance"] == pytest.approx(3.0, rel=1e-6)
    assert "distance" in command("genome", "diff", genome_file, "moved.st").out


def test_a_genome_is_named_by_the_first_digits_of_its_digest(
    command: Command, genome_file: Path
) -> None:
    shown = command("genome", "show", genome_file, "--json").json
    assert command("genome", "show", shown["digest"][:12], "--json").json == shown
    report = command("evaluate", shown["digest"][:12], *QUICK, "--lifetimes", 1, "--json").json
    assert report["genome"] == shown["digest"]


def test_a_reference_that_means_nothing_is_told_what_was_tried(command: Command) -> None:
    for words in (("genome", "show", "runs/mine@40"), ("evaluate", "runs/mine@40")):
        answer = command(*words)
        assert answer.code == 2
        assert "no genome 'runs/mine@40' (tried: " in answer.err
        assert "the run directory runs/mine" in answer.err


def test_the_genomes_of_a_run_are_listed_by_generation(command: Command, tmp_path: Path) -> None:
    command(
        *("evolve", "smoke", "--run-dir", "run", "--no-analysis", "engine=reference"),
        *("tracking.enabled=false", "evaluation.controls=false", "evaluation.train_lifetimes=0"),
    )
    listed = command("genome", "list", "run", "--json").json["genomes"]
    kept = [each for each in listed if each["genome"].startswith("gen_")]
    assert [each["generation"] for each in kept] == [0, 2, 4]
    assert [each["parents"] for each in kept] == [[], [kept[0]["digest"]], [kept[1]["digest"]]]
    assert [each["operator"] for each in kept] == ["random", "es", "es"]
    for each in kept:
        assert 0.0 <= each["held_out"] <= 1.0
        assert 0.0 <= each["bias"] <= 0.5
        named = command("genome", "show", f"run@{each['generation']}", "--json").json
        assert named["digest"] == each["digest"]
    assert {each["genome"] for each in listed} - {each["genome"] for each in kept} == {
        "initial",
        "center",
    }
    text = command("genome", "list", "run").out
    assert kept[1]["digest"][:16] in text
    assert "gen_00000002" in text
    assert "show the same and want opposite" in text
    assert command("genome", "list", "nowhere").code == 2

    (tmp_path / "run" / "genomes" / "gen_00000002.safetensors").write_bytes(b"torn")
    answer = command("genome", "list", "run")
    assert answer.code == 0
    assert "left out: " in answer.err
    assert "gen_00000002" in answer.err
    assert kept[2]["digest"][:16] in answer.out
