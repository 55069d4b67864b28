"""Recorded lifetimes as labelled arrays: the same lifetimes as an evaluation's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evoplastic as ep
from cluster.config.run import load_config
from evoplastic.api.references import SHIPPED
from evoplastic.api.setting import as_overrides
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from tasks.suites.loading import load_suite

GENOME = SHIPPED / "miconi2023.safetensors"
SHORT: dict[str, Any] = {"num_trials": 40, "scored_trials": 10, "perturbation": {"quiet_trials": 5}}
QUICK: dict[str, Any] = {"lifetime": SHORT, "rule": {"first_trial": 5}}


@pytest.fixture(scope="module")
def inside() -> Any:
    return ep.run(
        GENOME, "dms", 4, ("rate", "mod", "choice", "p", "elig"), [0, 20, -1], config=None, **QUICK
    )


def test_arrays_are_labelled(inside: Any) -> None:
    assert dict(inside.sizes) == {
        "life": 4, "trial": 3, "step": 50, "neuron": 70, "target": 63, "source": 70,
    }  # fmt: skip
    assert inside.rate.dims == ("life", "trial", "step", "neuron")
    assert inside.p.dims == inside.elig.dims == ("life", "trial", "target", "source")
    assert inside.trial.values.tolist() == [0, 20, 39]
    assert inside.time_ms.values[:3].tolist() == [0.0, 20.0, 40.0]
    groups = dict(zip(*np.unique(inside.group, return_counts=True), strict=True))
    assert groups == {
        "stimulus": 2, "feedback": 2, "bias": 1, "action": 2, "hidden": 59, "modulators": 2,
        "response": 2,
    }  # fmt: skip
    assert set(inside.target_group.values) == {"hidden", "modulators", "response"}
    assert (inside.attrs["task"], inside.attrs["engine"]) == ("dms", "cpu")
    response = inside.rate.where(inside.group == "response", drop=True)
    silent = response.isel(step=slice(0, inside.attrs["response_steps"][0]))
    assert float(abs(silent).max()) == 0.0


def test_stimuli_and_prediction_errors_are_labelled(inside: Any) -> None:
    np.testing.assert_array_equal(inside.kind, 2 * inside.stimulus1 + inside.stimulus2)
    assert list(inside.attrs["stimulus2_steps"]) == [10, 18]
    assert "prediction_error" not in inside.coords  # it takes all trials
    whole = ep.run(GENOME, "dms", 2, "mod", **QUICK)
    expected = np.zeros((2, 40))
    for life in range(2):
        baseline = dict.fromkeys(range(4), 0.0)
        for trial in range(40):
            kind, loss = int(whole.kind[life, trial]), float(whole.loss[life, trial])
            expected[life, trial] = loss - baseline[kind]
            baseline[kind] = 0.9 * baseline[kind] + 0.1 * loss
    np.testing.assert_allclose(whole.prediction_error, expected, atol=1e-6)


def test_they_are_the_lifetimes_of_an_evaluation(inside: Any) -> None:
    scores = ep.evaluate(GENOME, "dms", 4, controls=False, **QUICK)
    measured = scores.correct.sel(task="dms", condition="plastic").isel(trial=inside.trial.values)
    np.testing.assert_array_equal(measured.values, inside.correct.values)
    choice = inside.choice.max("step")  # one action in a trial, -1 at other steps
    np.testing.assert_array_equal(choice == inside.target_action, inside.correct)


def test_plasticity_can_be_off_and_a_seed_is_another_lifetime(inside: Any) -> None:
    off = ep.run(GENOME, "dms", 4, "rate", [0, 20], plastic=False, **QUICK)
    np.testing.assert_array_equal(off.rate.sel(trial=0), inside.rate.sel(trial=0))
    assert float(abs(off.rate.sel(trial=20) - inside.rate.sel(trial=20)).max()) > 0
    other = ep.run(GENOME, "dms", 4, "rate", [0], seed=2, **QUICK)
    assert float(abs(other.rate - inside.rate.sel(trial=[0])).max()) > 0


def test_a_task_that_must_be_stepped_is_recorded_on_the_reference(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evoplastic.engines._said", set())  # told once in a process
    envs = Path(__file__).parents[2] / "tasks" / "small_envs.py"
    suite = load_suite("yang19-small")
    layout = Layout(
        NeuronGroups(
            num_neurons=60,
            num_inputs=suite.interface.num_inputs,
            num_outputs=suite.interface.num_outputs,
        )
    )
    genome = ep.Genome.random(layout, 0, GenomeConfig())
    inside = ep.run(
        genome,
        f"{envs}:PaysByChance",
        2,
        ("rate", "choice", "p"),
        [0, 3],
        config="yang19-laptop",
        lifetime={"num_trials": 4, "scored_trials": 2, "perturbation": {"quiet_trials": 1}},
    )
    assert inside.attrs["engine"] == "reference"
    assert "the slow reference engine records" in caplog.text
    ended = inside.rate.isel(neuron=0).notnull().sum("step")
    np.testing.assert_array_equal(ended, inside.steps)
    assert bool((inside.reward > 0).any())


def test_self_paced_trials_are_padded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = ep.evolve(
        "yang19-laptop",
        evolution={"generations": 1},
        search={"popsize": 4},
        num_neurons=60,
        rule={"first_trial": 1},
        lifetime={"num_trials": 6, "scored_trials": 2, "perturbation": {"quiet_trials": 1}},
        evaluation={"held_out_lifetimes": 1, "train_lifetimes": 0, "controls": False},
        banks={"trials": 6, "evaluation_trials": 6},
        tracking={"enabled": False},
    )
    inside = ep.run(
        done.genome, None, 3, ("rate", "choice"), slice(0, 3), lifetime={"num_trials": 6}
    )
    assert inside.attrs["pacing"] == "self_paced"
    steps = inside.steps.values
    for life, trial in np.ndindex(steps.shape):
        chosen = inside.choice[life, trial].values
        assert (chosen[: steps[life, trial]] >= 0).all()
        assert (chosen[steps[life, trial] :] == -1).all()
        assert np.isnan(inside.rate[life, trial, steps[life, trial] :]).all()
    assert set(done.held_out) == {inside.attrs["task"], *done.held_out}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"record": "rates"}, "unknown recorded quantity 'rates'; did you mean 'rate'"),
        ({"record": ()}, "nothing to record"),
        ({"trials": [39, 40]}, r"trials \[40\] are asked for, a lifetime has trials 0 to 39"),
        ({"task": "dsm"}, "did you mean 'dms'"),
        ({"lifetimes": 0}, "lifetimes is 0, expected at least 1"),
        ({"lifetimes": 1.5}, "lifetimes is 1.5, expected a whole number"),
        ({"lifetimes": "3"}, "lifetimes is '3', expected a whole number"),
        ({"lifetimes": True}, "lifetimes is True, expected a whole number"),
        ({"seed": 1.5}, "seed is 1.5, expected a whole number"),
        ({"seed": -1}, "seed is -1, expected at least 0"),
        ({"record": None}, "record is None, expected some of rate, mod"),
        ({"trials": 5}, "trials is 5, expected numbers of trials, a slice, or None"),
        ({"trials": "all"}, "trials is 'all', expected numbers of trials"),
        ({"trials": [1.5]}, "a recorded trial is 1.5, expected a whole number"),
        ({"genome": "nowhere"}, r"no genome 'nowhere' \(tried: "),
        ({"lifetimee": {}}, "lifetimee"),
        ({"engine": "refrence"}, "did you mean 'reference'"),
    ],
)
def test_bad_input(
    arguments: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        ep.run(**{"genome": GENOME, **QUICK, **arguments})


def test_a_recording_that_does_not_fit_says_its_size() -> None:
    with pytest.raises(UsageError) as caught:
        ep.run(GENOME, "dms", 100_000, ("p", "elig"))
    told = str(caught.value)
    assert "p 100000 x 400 x 63 x 70" in told
    assert f"the recording takes {2 * 4e5 * 400 * 63 * 70 / 2**30:.1f} GiB (" in told
    assert "ask for fewer lifetimes=, trials= or record=" in told


def test_settings_are_written_as_overrides() -> None:
    settings = {
        "seed": 7,
        "rule": "oja",
        "search": {"sigma": np.float32(2.0**-16), "popsize": np.int64(8)},
        "evaluation.controls": False,
        "tracking": {"uri": None},
    }
    config = load_config("smoke", as_overrides(settings))
    assert (config.seed, config.rule.name, config.search.popsize) == (7, "oja", 8)
    assert config.search.sigma == 2.0**-16
    assert config.evaluation.controls is False
    with pytest.raises(UsageError, match="no configuration file can hold"):
        as_overrides({"seed": object()})
