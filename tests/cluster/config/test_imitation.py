"""Recorded activity in a configuration: written out, kept, and in digests."""

from __future__ import annotations

from pathlib import Path

import pytest

import evoplastic as ep
from cluster.config.run import RunConfig, load_config, override_config
from cluster.experiment import build_experiment
from evoplastic.checks import UsageError
from evoplastic.lifetime.imitation.activity import read_activity
from evoplastic.lifetime.imitation.measuring import likeness
from evoplastic.lifetime.imitation.similarity import matrix_of
from evoplastic.lifetime.imitation.term import Wanted

CONTENT = "condition,u1,u2,u3\n0 0,1,0,2\n0 1,0,1,0\n1 0,3,1,1\n1 1,0,0,5\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "recorded.csv"
    path.write_text(CONTENT)
    return path


def smoke(*overrides: str) -> RunConfig:
    return load_config("smoke", overrides)


def test_activity_is_written_out_and_needed_no_more(file: Path, tmp_path: Path) -> None:
    config = smoke(f"imitation.file={file}", "imitation.weight=0.5")
    assert config.imitation is not None
    assert config.imitation.conditions == ("0 0", "0 1", "1 0", "1 1")
    kept = tmp_path / "kept.yaml"
    kept.write_text(config.to_yaml())
    copy = tmp_path / "copy.csv"
    file.rename(copy)
    again = load_config(kept)
    assert again == config
    assert again.digest == config.digest
    by_name = smoke(f"imitation.file={copy}", "imitation.weight=0.5")
    assert by_name.digest == config.digest  # what it holds counts, not its name
    assert build_experiment(again).problem.imitation is not None
    copy.write_text(CONTENT.replace("5", "6"))
    assert smoke(f"imitation.file={copy}", "imitation.weight=0.5").digest != config.digest
    other = override_config(again, [f"imitation.file={copy}", "imitation.measure=rdm"])
    assert other.imitation is not None
    assert other.imitation.matrix[0][0] == 0.0  # dissimilarities: it was read again


def test_without_it_nothing_changes(file: Path) -> None:
    plain = smoke()
    assert plain.imitation is None
    assert build_experiment(plain).problem.imitation is None
    silent = smoke(f"imitation.file={file}", "imitation.weight=0")
    assert build_experiment(silent).problem.imitation is None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("imitation.weight=1",), "give the file of recorded activity, imitation.file=FILE.csv"),
        (("imitation.file=none.csv",), "activity file .*none.csv.* cannot be read"),
        (("imitation.file={file}", "imitation.weight=-1"), "greater than or equal to 0"),
        (("imitation.file={file}", "imitation.measure=cca"), "unknown measure of similarity 'cca'"),
        (("imitation.file={file}", "imitation.tasks=[dms]"), "unknown training task to imitate"),
        (("imitation.file={file}", "search=map_elites"), "asks lifetimes for more than losses"),
    ],
)  # fmt: skip
def test_bad_input(overrides: tuple[str, ...], message: str, file: Path) -> None:
    with pytest.raises(UsageError, match=message):
        build_experiment(smoke(*(each.format(file=file) for each in overrides)))


@pytest.mark.exhaustive
def test_evolution_makes_networks_alike(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the term alone to select on, the center comes to be like what was recorded."""
    monkeypatch.chdir(file.parent)
    done = ep.evolve(
        "smoke",
        run_dir="run",
        tracking={"enabled": False},
        imitation={"file": str(file), "weight": 50.0, "window_ms": [400.0, 500.0]},
        lifetime={"num_trials": 24, "scored_trials": 10, "perturbation": {"quiet_trials": 5}},
        rule={"first_trial": 5},
        search={"popsize": 40, "learning_rate": 0.1},
        evolution={"generations": 30},
        evaluation={"every": 30, "held_out_lifetimes": 2, "train_lifetimes": 0},
        pairs_per_shard=20,
    )
    before, after = (mean_likeness(f"run@{which}", file) for which in ("initial", "30"))
    assert before < 0.5
    assert after > 0.7
    assert done.outcome.generation == 30


def mean_likeness(genome: str, file: Path) -> float:
    """Centred kernel alignment of a genome's lifetimes on a training task."""
    wanted = Wanted((0, 1, 2, 3), matrix_of(read_activity(file).pattern_CU, "cka"))
    inside = ep.run(genome, "and", 8, "rate")
    rate = inside.rate.values[:, :, 20:25, inside.group.values == "hidden"].mean(2)
    found = [
        likeness(pattern, kind, wanted, "cka")
        for pattern, kind in zip(rate, inside.kind.values, strict=True)
    ]
    return sum(found) / len(found)
