"""Analyses of recordings, on recordings whose content is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.figures.inside.connections import figure_connections
from analysis.figures.inside.decoding import figure_decoding
from analysis.figures.inside.sheet import write_drawn
from analysis.figures.inside.traces import figure_traces
from analysis.figures.inside.trajectories import figure_trajectories
from analysis.inside.connections import neuron_order, spectra
from analysis.inside.decoding import cross_temporal
from analysis.inside.traces import along_lifetime, within_trial
from analysis.inside.trajectories import trajectories
from evoplastic.checks import UsageError
from tests.analysis.inside.data import connections, lives, recording


def test_a_code_that_changes_is_read_at_its_own_time_alone() -> None:
    """Stimulus 1 lies in neuron t at step t, stimulus 2 in neuron 8 from step 4 on."""
    told = recording()
    first = cross_temporal(told, "stimulus1", every=1, permutations=20)
    assert np.diag(first.accuracy_TT).min() > 0.97
    away = first.accuracy_TT[~np.eye(8, dtype=bool)]
    assert away.mean() == pytest.approx(0.5, abs=0.06)
    assert 0.5 < first.pointwise_floor < first.floor < 0.8
    second = cross_temporal(told, "stimulus2", every=1, permutations=20)
    assert second.accuracy_TT[4:, 4:].min() > 0.9
    assert second.accuracy_TT[:4].mean() == pytest.approx(0.5, abs=0.1)
    assert (first.chance, first.samples) == (
        0.5,
        2 * np.bincount(told.stimulus1.values.ravel()).min(),
    )


def test_more_than_two_classes_are_decoded() -> None:
    told = recording()
    kinds = cross_temporal(told, "kind", every=1, permutations=0)
    assert kinds.chance == 0.25
    assert kinds.accuracy_TT[5, 5] > 0.85  # both stimuli are there
    assert kinds.accuracy_TT[2, 2] == pytest.approx(0.5, abs=0.15)  # the first alone
    assert np.isnan(kinds.floor)


def test_labels_without_a_trace_stay_below_the_floor() -> None:
    told = recording(lives=20, trials=8)
    noise = np.random.default_rng(5).permutation(told.stimulus1.values.ravel())
    told = told.assign_coords(chance_label=(("life", "trial"), noise.reshape(20, 8)))
    decoded = cross_temporal(told, "chance_label", every=1, permutations=60)
    assert decoded.accuracy_TT.max() < decoded.floor + 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.isel(life=slice(0, 2)), "decoding takes at least 10 of each value"),
        (lambda told: told.isel(life=[0, 1, 2, 3]), "in 5 folds of lives, the recording has 4"),
        (lambda told: told.assign_coords(stimulus1=0 * told.kind),
         "stimulus1 is 0 in all recorded trials, there is nothing to decode"),
        (lambda told: told.drop_vars("rate"), "the recording holds no rate; record it with"),
        (lambda told: told.drop_vars("stimulus1"), "trials have no 'stimulus1' to decode"),
        (lambda told: told.isel(neuron=[9]), "has no neuron of hidden; its groups are response"),
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_is_refused(change: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        cross_temporal(change(recording(trials=10)), "stimulus1")


def test_components_are_those_of_known_activity() -> None:
    """Neurons are two latent paths through orthogonal directions, one three times as long."""
    told = recording()
    step = np.arange(8)
    a, b = np.zeros(10), np.zeros(10)
    a[:4], b[4:8] = 0.5, 0.5
    path = 3 * np.cos(step)[:, None] * a + np.sin(2 * step)[:, None] * b
    told["rate"] = told.rate.dims, np.broadcast_to(path, told.rate.shape).astype(np.float32)
    paths = trajectories(told)
    assert paths.explained[:2].sum() == pytest.approx(1.0)
    own = paths.table[(paths.table.part == "last") & (paths.table.kind == 2)]
    assert np.ptp(own["pc1"]) == pytest.approx(3 * np.ptp(np.cos(step)), rel=0.05)


def test_alike_neurons_lie_side_by_side_and_spectra_are_known() -> None:
    told = connections()
    order = neuron_order(told)
    places = [order.index(neuron) for neuron in (1, 3, 5)]  # of like weights
    assert max(places) - min(places) == 2
    spectrum = spectra(told)
    born = spectrum[(spectrum.when == "birth") & (spectrum.kind == "eigenvalue")]
    inner = told.w.sel(source=told.target.values).values
    np.testing.assert_allclose(
        np.sort_complex(born["real"] + 1j * born["imaginary"]),
        np.sort_complex(np.linalg.eigvals(inner)),
        atol=1e-12,
    )
    change = spectrum[(spectrum.when == "life 0") & (spectrum.kind == "singular value")]
    assert change["real"].iloc[1] < 1e-12 < change["real"].iloc[0]  # of rank one


def test_plastic_change_and_modulation_along_a_lifetime() -> None:
    told, alpha = lives(), np.full((7, 8), 0.5)
    along = along_lifetime(told, alpha)
    one = along[along.life == 1]
    np.testing.assert_allclose(one["change"], [0.0, 0.5, 0.5, 0.5])  # p grows by 1 from trial 1 on
    np.testing.assert_allclose(one["distance"], [0.0, 0.5, 1.0, 1.5])
    np.testing.assert_allclose(one["modulation"], 0.25)
    np.testing.assert_allclose(one["prediction_error"], [0.5, 0.4, 0.3, 0.2])
    without = along_lifetime(told.drop_vars("prediction_error"), alpha)
    assert without["prediction_error"].isna().all()
    within = within_trial(recording())
    mod = within[(within.quantity == "mod") & (within.kind == -1) & (within.part == "first")]
    np.testing.assert_allclose(mod["mean"], np.arange(8) / 8)


@pytest.mark.exhaustive
def test_each_is_drawn(tmp_path: Path) -> None:
    told = recording()
    figures = {
        "decoding": figure_decoding({"generation 0": told, "generation 5": told}, permutations=5),
        "trajectories": figure_trajectories(told),
        "connections": figure_connections(connections()),
        "traces": figure_traces(told, lives(), connections()),
    }
    for name, drawn in figures.items():
        files = write_drawn(drawn, tmp_path / name)
        assert {file.suffix for file in files} == {".png", ".svg", ".pdf", ".csv"}
        assert "(ms)" in files[1].read_text() or name in ("trajectories", "connections")
    assert "generation 5" in (tmp_path / "decoding.svg").read_text()
    assert (tmp_path / "connections_spectrum.csv").is_file()


def test_a_recording_of_one_trial_has_no_first_and_last() -> None:
    with pytest.raises(UsageError, match="expected some first and some last ones"):
        within_trial(recording().isel(trial=[0]))
