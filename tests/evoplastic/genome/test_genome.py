"""Genomes: the first genome, digests, and files that say so when they are damaged."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.describe import describe_genome
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.genome.text import genome_from_text
from evoplastic.network.neurons import NeuronGroups
from evoplastic.storage import read_tensors, write_tensors

SMALL = Layout(NeuronGroups(num_neurons=13))
WIDE = Layout(NeuronGroups(num_neurons=13, num_inputs=3))
CONFIG = GenomeConfig()


def _genome(seed: int = 1) -> Genome:
    return replace(Genome.random(SMALL, seed, CONFIG), provenance={"run": "a", "generation": "7"})


def _imported(folder: Path, **lines: int) -> Genome:
    return genome_from_text({"w": folder / "w.txt", "alpha": folder / "alpha.txt"}, **lines)


def test_first_genome_is_the_published_one() -> None:
    """w ~ N(0, 1.5^2 / N), alpha 0.5; nothing comes in to stimulus, feedback, bias, modulators."""
    values = Genome.random(Layout(NeuronGroups()), 3, CONFIG).values
    silent = [*range(5), 66, 67]
    assert not values["w"][silent].any()
    free_NN = np.delete(values["w"].numpy(), silent, axis=0).astype(np.float64)
    assert (free_NN != 0.0).all()
    assert abs(free_NN.mean()) < 4 * 1.5 / np.sqrt(70 * free_NN.size)
    assert free_NN.std() == pytest.approx(1.5 / np.sqrt(70), rel=0.05)
    assert (values["alpha"] == 0.5).all()


def test_first_genome_is_a_function_of_its_seed_and_settings() -> None:
    assert _genome(1).digest == _genome(1).digest
    others = [
        _genome(2),
        Genome.random(SMALL, 1, replace(CONFIG, init_gain=1.0)),
        Genome.random(SMALL, 1, replace(CONFIG, init_alpha=0.4)),
    ]
    assert len({genome.digest for genome in [_genome(1), *others]}) == 4


def test_digest_sees_values_and_groups_but_not_provenance() -> None:
    genome = _genome()
    assert replace(genome, provenance={}).digest == genome.digest
    assert len(genome.digest) == 64
    touched_G = genome.center_G.clone()
    touched_G[-1] = torch.nextafter(touched_G[-1], torch.tensor(9.0))
    assert replace(genome, center_G=touched_G).digest != genome.digest
    assert replace(genome, layout=WIDE).digest != genome.digest


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_by_place(bad: float) -> None:
    flat_G = torch.zeros(338)
    flat_G[169 + 2 * 13 + 5] = bad
    with pytest.raises(UsageError, match=r"1 values that are not finite.*alpha\[2, 5\]"):
        Genome(SMALL, flat_G)


@pytest.mark.parametrize("flat_G", [torch.zeros(337), torch.zeros(338, dtype=torch.float64)])
def test_a_genome_of_wrong_size_or_type_is_refused(flat_G: torch.Tensor) -> None:
    with pytest.raises(UsageError, match=r"expected \(338,\) float32 for 13 neurons"):
        Genome(SMALL, flat_G)


def test_a_saved_genome_comes_back_bit_for_bit(tmp_path: Path) -> None:
    genome = replace(_genome(), layout=WIDE)
    path = tmp_path / "deep" / "center.safetensors"
    genome.save(path)
    loaded = Genome.load(path)
    assert torch.equal(loaded.center_G, genome.center_G)
    assert loaded.layout == genome.layout
    assert loaded.provenance == {"run": "a", "generation": "7"}
    assert loaded.digest == genome.digest
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_names_its_fields(tmp_path: Path) -> None:
    _genome().save(tmp_path / "g.safetensors")
    _, header = read_tensors(tmp_path / "g.safetensors", ("evoplastic/genome/2",), "genome")
    w, alpha = header["fields"]
    assert (w["name"], w["shape"], w["sizes"], w["lower"]) == ("w", "NN", [13, 13], None)
    assert (alpha["name"], alpha["lower"], alpha["scale"]) == ("alpha", 0.0, 1.0)


def test_a_genome_of_the_first_schema_is_read(tmp_path: Path) -> None:
    """Its header did not name the fields; its digest was the same function of groups and values."""
    genome = _genome()
    header = {
        "schema": "evoplastic/genome/1",
        "groups": genome.groups.describe(),
        "provenance": genome.provenance,
        "digest": genome.digest,
    }
    tensors = {name: value.contiguous() for name, value in genome.values.items()}
    write_tensors(tmp_path / "old.safetensors", tensors, header)
    loaded = Genome.load(tmp_path / "old.safetensors")
    assert torch.equal(loaded.center_G, genome.center_G)
    assert loaded.layout == genome.layout


def test_the_digest_of_a_published_layout_is_that_of_the_first_schema() -> None:
    content = hashlib.sha256(
        b'{"num_inputs": 2, "num_neurons": 13, "num_outputs": 2}' + bytes(4 * 338)
    )
    assert Genome(SMALL, torch.zeros(338)).digest == content.hexdigest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "alpa"}, "unknown field of a genome 'alpa'; did you mean 'alpha'"),
        ({"shape": "N"}, "field 'alpha' has shape 'N', this version expects 'NN'"),
        ({"transform": "positive"}, "field 'alpha' has transform 'positive'"),
    ],
)
def test_fields_that_this_version_does_not_know_are_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    path = tmp_path / "g.safetensors"
    _genome().save(path)
    tensors, header = read_tensors(path, ("evoplastic/genome/2",), "genome")
    header["fields"][1] |= change
    write_tensors(path, tensors, header)
    with pytest.raises(UsageError, match=f"g.safetensors is not a whole genome: {message}"):
        Genome.load(path)


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    _genome().save(tmp_path / "one")
    _genome().save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_missing_genome_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no genome at .*absent\.safetensors"):
        Genome.load(tmp_path / "absent.safetensors")
    with pytest.raises(UsageError, match="no genome at"):
        Genome.load(tmp_path)


def test_a_truncated_genome_is_refused_by_name(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    _genome().save(whole)
    content = whole.read_bytes()
    for length in (0, 7, 8, 100, len(content) // 2, len(content) - 1):
        cut.write_bytes(content[:length])
        with pytest.raises(UsageError, match=r"cut\.safetensors"):
            Genome.load(cut)


def test_a_damaged_genome_never_passes_as_another(tmp_path: Path) -> None:
    """Every byte of the header and a sample of the values: refused by name, or harmless."""
    whole, damaged = tmp_path / "whole.safetensors", tmp_path / "damaged.safetensors"
    genome = _genome()
    genome.save(whole)
    content = whole.read_bytes()
    values_start = 8 + int.from_bytes(content[:8], "little")
    refusals: dict[int, str] = {}
    places = [*range(values_start), *range(values_start, len(content), 31)]
    for place in places:
        altered = bytearray(content)
        altered[place] ^= 0x04
        damaged.write_bytes(altered)
        try:
            assert Genome.load(damaged).digest == genome.digest, f"byte {place} went unnoticed"
        except UsageError as error:
            refusals[place] = str(error)
    assert all("damaged.safetensors" in message for message in refusals.values())
    assert set(places) - set(refusals) <= set(range(values_start))
    assert len(refusals) > 0.8 * len(places)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    text = tmp_path / "notes.txt"
    text.write_text("w = 1\n" * 100)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"w": torch.zeros(3)}, foreign)
    for path, message in ((text, "corrupt or truncated"), (foreign, "expected 'evoplastic/genome")):
        with pytest.raises(UsageError, match=message) as refusal:
            Genome.load(path)
        assert str(path) in str(refusal.value)


def test_a_genome_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    blocked = tmp_path / "file" / "center.safetensors"
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(EnvironmentFault, match=r"cannot write .*center\.safetensors"):
        _genome().save(blocked)
    assert (tmp_path / "file").read_text() == "no directory"


def test_published_text_matrices_are_imported(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    w, alpha = random.normal(size=(2, 70, 70))
    w[:5] = 0.0
    np.savetxt(tmp_path / "w.txt", w)
    np.savetxt(tmp_path / "alpha.txt", alpha)
    genome = _imported(tmp_path)
    assert genome.groups == NeuronGroups()
    assert np.array_equal(genome.values["w"].numpy(), w.astype(np.float32))
    assert np.array_equal(genome.values["alpha"].numpy(), alpha.astype(np.float32))
    assert genome.provenance == {"origin": "imported from w.txt and alpha.txt"}


def test_import_silences_what_no_engine_uses(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "w.txt", np.ones((14, 14)))
    np.savetxt(tmp_path / "alpha.txt", np.ones((14, 14)))
    genome = _imported(tmp_path, num_inputs=1, num_outputs=3)
    assert (genome.groups.num_inputs, genome.groups.num_outputs) == (1, 3)
    assert genome.values["w"].sum(1).tolist() == [0.0] * 4 + [14.0] * 10


@pytest.mark.parametrize(
    ("w", "alpha", "message"),
    [
        ("1 2 3\n4 5 6\n", "1", r"w\.txt holds a 2 x 3 matrix, expected N x N"),
        ("1 2\n3 four\n", "1", r"cannot read .*w\.txt as a matrix of numbers"),
        ("1 2\n3 4\n", "1", r"w\.txt is \(2, 2\).*alpha\.txt is \(1, 1\); all must be \(N, N\)"),
        ("1 2\n3 4\n", "1 2\n3 4\n", "num_neurons is 2"),
    ],
)
def test_matrices_that_are_no_network_are_refused(
    tmp_path: Path, w: str, alpha: str, message: str
) -> None:
    (tmp_path / "w.txt").write_text(w)
    (tmp_path / "alpha.txt").write_text(alpha)
    with pytest.raises(UsageError, match=message):
        _imported(tmp_path)


def test_a_missing_text_matrix_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*w\.txt"):
        _imported(tmp_path)


def test_description_counts_neurons_and_measures_weights() -> None:
    rotation_NN = torch.zeros(13, 13)
    rotation_NN[5, 6], rotation_NN[6, 5] = -2.0, 2.0  # eigenvalues +-2i
    center_G = SMALL.join({"w": rotation_NN, "alpha": torch.full((13, 13), 0.25)})
    genome = Genome(SMALL, center_G, {"origin": "here"})
    described = describe_genome(genome)
    assert described["w"]["spectral_radius"] == pytest.approx(2.0)
    assert (described["w"]["min"], described["w"]["max"]) == (-2.0, 2.0)
    assert described["alpha"]["mean"] == pytest.approx(0.25)
    assert sum(described["groups"].values()) == described["neurons"] == 13
    assert described["genome_length"] == 338
    assert described["digest"] == genome.digest
    assert described["provenance"] == {"origin": "here"}
