"""A run that the first version of checkpoints, genomes and settings left half-way.

`first_schema/` is its directory as that version wrote it when it was stopped after two of four
generations; `end.safetensors` is the center that the same version reached undisturbed.
"""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.store import read_directory
from cluster.checkpoint import load_checkpoint
from cluster.config.run import load_config
from cluster.journal import read_journal
from cluster.loop import resume
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.records.events import GenerationEvent

WRITTEN = Path(__file__).parent / "first_schema"


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN, tmp_path / "run"))


def test_it_goes_on_to_where_it_would_have_ended(
    run_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        outcome = resume(run_dir)
    assert (outcome.status, outcome.generation) == ("done", 4)
    assert any("evolution.popsize -> search.popsize" in r.getMessage() for r in caplog.records)
    end = Genome.load(WRITTEN / "end.safetensors")
    center = Genome.load(run_dir / "genomes" / "center.safetensors")
    assert center.layout == end.layout
    # The same bits on the machine that wrote the files; other ones may round otherwise.
    np.testing.assert_allclose(center.center_G, end.center_G, rtol=0, atol=1e-4)
    events, _ = read_journal(run_dir / "journal.ndjson")
    generations = [event.generation for event in events if isinstance(event, GenerationEvent)]
    assert generations == [0, 1, 2, 3]


def test_its_files_are_of_the_present_form_afterwards(run_dir: Path) -> None:
    before = load_config(run_dir / "config.resolved.yaml")
    resume(run_dir)
    written = yaml.safe_load((run_dir / "config.resolved.yaml").read_text())
    assert set(written["evolution"]) == {"generations", "flat_generations"}
    assert written["search"]["name"] == "es"
    assert written["curriculum"] == {"name": "alternate_halves"}
    assert load_config(run_dir / "config.resolved.yaml") == before
    checkpoint = load_checkpoint(run_dir / "checkpoints")
    assert checkpoint.schema == "evoplastic/checkpoint/2"
    assert checkpoint.search == "es"
    assert checkpoint.meta.config_digest == before.path_digest
    assert resume(run_dir, ["evolution.generations=5"]).generation == 5


def test_its_checkpoint_is_read_with_the_names_it_had() -> None:
    checkpoint = load_checkpoint(WRITTEN / "checkpoints")
    assert set(checkpoint.tensors) == {"center_G", "m_G", "v_G", "t"}
    assert (checkpoint.search, float(checkpoint.tensors["t"])) == ("es", 2.0)


def test_a_changed_configuration_is_noticed_by_the_digest_of_that_time(run_dir: Path) -> None:
    config = run_dir / "config.resolved.yaml"
    config.write_text(config.read_text().replace("sigma: 0.03", "sigma: 0.04"))
    with pytest.raises(UsageError, match="was changed since the run's checkpoint was written"):
        resume(run_dir)


def test_a_kill_between_checkpoint_and_configuration_loses_nothing(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cluster.rundir.RunDirectory.keep_config", killed)
        with pytest.raises(KeyboardInterrupt):
            resume(run_dir)
    assert load_checkpoint(run_dir / "checkpoints").schema == "evoplastic/checkpoint/2"
    assert "alternate_halves: true" in (run_dir / "config.resolved.yaml").read_text()
    assert resume(run_dir).status == "done"


def test_it_is_analysed_as_it_lies(run_dir: Path) -> None:
    (run_dir / "genomes").mkdir()
    records = read_directory(run_dir)
    assert records.start.run_id == json.loads((run_dir / "environment.json").read_text())["run_id"]
    assert (records.num_trials, len(records.generations)) == (6, 2)
