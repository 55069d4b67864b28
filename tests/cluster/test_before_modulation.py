"""A run of a version without modulations and births, left after three of four generations.

`before_modulation/` is its directory; the keys that came since are in none of its files.
`end.safetensors` is the center that such a run has after 4.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from cluster.checkpoint import load_checkpoint
from cluster.config.run import load_config
from cluster.loop import resume
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome

WRITTEN = Path(__file__).parent / "before_modulation"
LONGER = ["evolution.generations=4"]


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return Path(shutil.copytree(WRITTEN, tmp_path / "run"))


def test_it_goes_on_with_defaults_for_what_came_since(run_dir: Path) -> None:
    before = yaml.safe_load((run_dir / "config.resolved.yaml").read_text())
    assert "modulation" not in before
    assert "birth" not in before["lifetime"]
    outcome = resume(run_dir, LONGER)
    assert (outcome.status, outcome.generation) == ("done", 4)
    end = Genome.load(WRITTEN / "end.safetensors")
    center = Genome.load(run_dir / "genomes" / "center.safetensors")
    # The same bits on the machine that wrote the files; other ones may round otherwise.
    np.testing.assert_allclose(center.center_G, end.center_G, rtol=0, atol=1e-4)
    config = load_config(run_dir / "config.resolved.yaml")
    assert load_checkpoint(run_dir / "checkpoints").meta.config_digest == config.path_digest
    assert resume(run_dir).already_finished


def test_a_kill_between_checkpoint_and_configuration_loses_nothing(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cluster.rundir.RunDirectory.keep_config", killed)
        with pytest.raises(KeyboardInterrupt):
            resume(run_dir, LONGER)
    assert resume(run_dir, LONGER).status == "done"


@pytest.mark.parametrize("changed", ["sigma: 0.04", "sigma: 0.03\nmodulation: gain"])
def test_a_changed_configuration_is_noticed(run_dir: Path, changed: str) -> None:
    config = run_dir / "config.resolved.yaml"
    written = config.read_text()
    key = "  sigma: 0.03\n"
    assert key in written
    first, _, added = changed.partition("\n")
    config.write_text(written.replace(key, f"  {first}\n") + (f"{added}\n" if added else ""))
    with pytest.raises(UsageError, match="was changed since the run's checkpoint was written"):
        resume(run_dir, LONGER)
