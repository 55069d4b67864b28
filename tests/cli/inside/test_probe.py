"""What a probe does, says and refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evoplastic as ep
from evoplastic.api.interventions import neurons_of, probes
from evoplastic.api.probed_lives import elsewhere
from evoplastic.api.probing import interval
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from tests.cli.conftest import Command

SHORT = (
    "lifetime.num_trials=12",
    "lifetime.scored_trials=6",
    "lifetime.perturbation.quiet_trials=2",
    *("rule.first_trial=2", "rule.eta=3.0", "rule.max_change=1.0"),
)
SETTINGS: dict[str, Any] = {
    "lifetime": {"num_trials": 12, "scored_trials": 6, "perturbation": {"quiet_trials": 2}},
    "rule": {"first_trial": 2, "eta": 3.0, "max_change": 1.0},
}


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Any:
    genome = ep.load(Path(__file__).parents[3] / "genomes" / "miconi2023.safetensors")
    return genome, ep.probe(
        genome,
        ["dms", "and"],
        4,
        lesion=["hidden:0-30", "feedback"],
        clamp={"modulators": 0, "hidden:2": "mean", "response:0": 1.0, "response:1": 0.0},
        freeze_plasticity_after=2,
        scale={"alpha": 0.0, "w": 1.0},
        each=True,
        **SETTINGS,
    )


def test_the_intact_network_is_that_of_an_evaluation(fast: Any) -> None:
    genome, probed = fast
    assert probed.attrs["engine"] == "cpu"
    measured = ep.evaluate(genome, ["dms", "and"], 4, **SETTINGS)
    intact = probed.sel(condition="intact")
    plastic, off = (measured.sel(condition=name) for name in ("plastic", "plasticity_off"))
    np.testing.assert_array_equal(intact.correct, plastic.correct)
    for name in ("scale alpha=0", "plasticity frozen after 2"):  # none changes before trial 2
        np.testing.assert_array_equal(probed.sel(condition=name).correct, off.correct)
    np.testing.assert_array_equal(probed.sel(condition="scale w=1").correct, plastic.correct)
    difference = probed.accuracy_difference.sel(intervention="scale w=1")
    assert (difference == 0).all()


def test_a_clamped_answer_is_always_given(fast: Any) -> None:
    genome, probed = fast
    together = ep.probe(genome, "dms", 4, clamp={"response:0": 1.0, "response:1": 0.0}, **SETTINGS)
    asked = ep.run(genome, "dms", 4, "choice", **SETTINGS).target_action
    name = "clamp response:0=1, clamp response:1=0"
    np.testing.assert_array_equal(together.sel(condition=name, task="dms").correct, asked == 0)
    low, high = probed.accuracy_low, probed.accuracy_high
    assert ((low <= probed.accuracy_difference) & (probed.accuracy_difference <= high)).all()


def test_what_comes_from_elsewhere_runs_on_the_reference(command: Command) -> None:
    genome = Path(__file__).parents[3] / "genomes" / "miconi2023.safetensors"
    answer = command(
        *("probe", genome, "--task", "dms", "--lifetimes", 2, "--each", "--json", *SHORT),
        *("--shuffle", "hidden:0-3", "--another-life", "hidden", "--shuffle-steps", "modulators"),
        *("--clamp", "modulators=mean"),
    )
    report = answer.json
    assert report["engine"] == "reference"
    (task,) = report["tasks"]
    names = [each["condition"] for each in task["conditions"]]
    assert names == [
        "intact",
        "clamp modulators=mean",
        "shuffle hidden:0-3",
        "shuffle steps of modulators",
        "hidden from another life",
    ]
    curves = [each["curve"] for each in task["conditions"]]
    # Nothing reads this genome's modulators but its other neurons.
    assert len({tuple(curve) for curve in curves}) > 1
    intact = ep.evaluate(genome, "dms", 2, engine="reference", controls=False, **SETTINGS)
    np.testing.assert_allclose(curves[0], intact.correct.mean("life")[0, 0], atol=1e-4)


def test_rates_come_from_other_trials_steps_and_lives() -> None:
    rate = np.arange(2 * 5 * 3, dtype=np.float32).reshape(2, 5, 3, 1)
    rate[0, 1, 2] = np.nan  # a trial that ended early
    trials = elsewhere(rate, "trials", 0)
    assert not np.array_equal(trials[0], rate[0])
    assert sorted(trials[0, :, 0, 0]) == sorted(rate[0, :, 0, 0])  # trials as wholes
    place = int(np.flatnonzero(trials[0, :, 0, 0] == 3)[0])
    assert trials[0, place, :, 0].tolist() == [3, 4, 4]  # the last rate stays
    steps = elsewhere(rate, "steps", 0)
    assert sorted(steps[1].ravel()) == sorted(rate[1].ravel())
    assert not np.isnan(steps).any()
    np.testing.assert_array_equal(elsewhere(rate, "life", 0)[0], rate[1])


def test_an_interval_of_paired_differences_is_known_for_normal_ones() -> None:
    difference = np.random.default_rng(3).normal(0.2, 0.1, 400)
    low, high = interval(difference, 0.95, 1)
    half = 1.96 * difference.std() / 20
    assert (low, high) == pytest.approx(
        (difference.mean() - half, difference.mean() + half), abs=0.002
    )
    assert interval(difference, 0.95, 1) == (low, high)


def test_neurons_are_named_by_group() -> None:
    groups = NeuronGroups()
    assert neurons_of("modulators", groups) == [66, 67]
    assert neurons_of("hidden:0-1,58", groups) == [7, 8, 65]
    both = probes(Layout(groups), 400, lesion="hidden:0", clamp={"hidden:1": 0.5})
    assert [(each.name, each.lesion, each.clamp) for each in both] == [
        ("lesion hidden:0, clamp hidden:1=0.5", (7,), {8: 0.5})
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing is to be done to the network"),
        (("--lesion", "hidden:0-19"), "hidden neurons [5, 6, 7"),
        (("--lesion", "hiden"), "unknown group of neurons 'hiden'; did you mean 'hidden'"),
        (("--lesion", "hidden:x"), "hidden neurons 'x' are asked for, expected numbers"),
        (("--clamp", "modulators=2"), "modulators is clamped to 2.0, expected a rate from -1 to 1"),
        (("--clamp", "response=-0.5"), "expected a rate from 0 to 1"),
        (("--clamp", "modulators"), "--clamp 'modulators' has no value"),
        (("--clamp", "feedback=1"), "feedback neurons are set by the task"),
        (("--freeze-plasticity-after", "12"), "a lifetime has 12 (lifetime.num_trials)"),
        (("--scale", "beta=2"), "unknown field of the genome 'beta'"),
        (("--scale", "alpha=x"), "alpha is scaled by 'x', expected a number"),
        (("--shuffle", "stimulus"), "stimulus neurons are set by the task"),
        (("--lesion", "hidden", "--clamp", "hidden:1=0"), "set the same neuron"),
        (("--lesion", "hidden", "--lifetimes", "1"), "lifetimes is 1, expected at least 2"),
        (("--lesion", "hidden", "--confidence", "95"), "confidence is 95.0, expected a share"),
    ],
)
def test_bad_input(
    words: tuple[str, ...], message: str, command: Command, genome_file: Path
) -> None:
    assert Genome.load(genome_file).groups.num_neurons == 16  # five are hidden
    answer = command("probe", genome_file, "--task", "dms", *words, *SHORT)
    assert answer.code == 2
    assert message in answer.err


def test_a_probe_is_recorded_below_the_run_that_evolved_the_genome(
    command: Command, tmp_path: Path
) -> None:
    from mlflow.tracking import MlflowClient

    store = "sqlite:///" + str(tmp_path / "mlflow.db")
    done = ep.evolve(
        "smoke", search={"popsize": 4}, evolution={"generations": 1}, tracking={"uri": store}
    )
    answer = command(
        *("probe", done.run_dir, "--task", "dms", "--lifetimes", 4, "--lesion", "hidden:0-3"),
        *("--to-mlflow", "--store", store, "--json"),
    )
    (run_id,) = answer.json["recorded"]
    client = MlflowClient(store)
    child = client.get_run(run_id)
    parent = client.get_run(child.data.tags["mlflow.parentRunId"])
    assert parent.data.tags["evoplastic.run_id"] == done.genome.provenance["run_id"]
    assert parent.info.experiment_id == child.info.experiment_id
    assert child.info.run_name == "probe: lesion hidden:0-3"
    (task,) = answer.json["tasks"]
    assert child.data.metrics["dms/accuracy_difference"] == pytest.approx(
        task["conditions"][1]["accuracy_difference"]
    )
    assert [file.path for file in client.list_artifacts(run_id)] == ["probe.json"]


def test_a_store_that_does_not_answer_is_said_before_anything_is_run(
    command: Command, genome_file: Path
) -> None:
    answer = command(
        *("probe", genome_file, "--task", "dms", "--lesion", "hidden", "--to-mlflow"),
        *("--store", "http://127.0.0.1:9", *SHORT),
    )
    assert answer.code == 3
    assert "does not answer" in answer.err
    assert not answer.out


def test_from_python_errors_are_the_same(genome_file: Path) -> None:
    with pytest.raises(UsageError, match="plasticity is frozen after 12 trials"):
        ep.probe(genome_file, "dms", 2, freeze_plasticity_after=12, **SETTINGS)


def test_a_probe_is_drawn_with_its_numbers(command: Command, genome_file: Path) -> None:
    answer = command(
        *("probe", genome_file, "--task", "dms", "--task", "and", "--lifetimes", 3, "--each"),
        *("--lesion", "hidden", "--scale", "alpha=0", "--figures", "drawn", "--json", *SHORT),
    )
    files = [Path(file) for file in answer.json["figures"]]
    assert [file.name for file in files] == ["probe.png", "probe.svg", "probe.pdf", "probe.csv"]
    header, *rows = files[3].read_text().splitlines()
    assert header == "task,intervention,score,intact,mean,difference,low,high"
    assert len(rows) == 4
    told = answer.json["tasks"][0]["conditions"][1]
    assert float(rows[0].split(",")[5]) == pytest.approx(told["accuracy_difference"], abs=1e-6)
    drawing = files[1].read_text()
    assert "lesion hidden" in drawing
    assert "3 lifetimes" in drawing
    refused = command("probe", genome_file, "--lesion", "hidden", "--figures", files[0], *SHORT)
    assert (refused.code, "expected a folder" in refused.err) == (2, True)
