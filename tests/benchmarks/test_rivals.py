"""A rival that did other work would be no rival: its losses are those of the engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from evoplastic.benchmark.generation import Setting, first_generation, lifetime_config
from evoplastic.engines import run_lifetimes
from evoplastic.engines.reference.engine import run_reference
from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.stacked import stack_tables
from tasks.suites.loading import load_suite
from tests.benchmarks.rivals import (
    avx512,
    jax_program,
    jax_rules,
    neurogym_stepping,
    numpy_stepping,
)

SETTING = Setting(engine="cpu", population=96, neurons=23, trials=60, threads=1)

Generation = tuple[PlasticParams, NeuronGroups, LifetimeBatch]


def _standard_errors_apart(generation: Generation, theirs_PK: torch.Tensor) -> float:
    """Difference of the mean losses, in standard errors over individuals."""
    params, groups, batch = generation
    ours_PK = run_lifetimes(params, groups, batch, lifetime_config(SETTING), engine="cpu").loss_PK
    difference_P = (ours_PK - theirs_PK).double().mean(1)
    return float(difference_P.mean() / (difference_P.std() / len(difference_P) ** 0.5))


@pytest.fixture
def generation() -> Generation:
    banks = stack_tables(load_suite("miconi2023").train_samples)
    return first_generation(SETTING, banks)


@pytest.mark.skipif(avx512.missing() is not None, reason=str(avx512.missing()))
def test_avx512_loop_lives_the_same_lives(generation: Generation) -> None:
    params, _, batch = generation
    assert (
        abs(_standard_errors_apart(generation, avx512.live(params, batch, SETTING.trials, 2))) < 4.0
    )


@pytest.mark.skipif(jax_program.missing() is not None, reason=str(jax_program.missing()))
def test_jax_program_lives_the_same_lives(generation: Generation) -> None:
    params, _, batch = generation
    assert (
        abs(_standard_errors_apart(generation, jax_program.live(params, batch, SETTING.trials)))
        < 4.0
    )


def _unperturbed(rule: str) -> tuple[PlasticParams, LifetimeBatch, torch.Tensor]:
    """A generation too short for chaos, and the losses of the reference without perturbations."""
    setting = replace(SETTING, rule=rule, population=6, trials=3)
    banks = stack_tables(load_suite("miconi2023").train_samples)
    params, groups, batch = first_generation(setting, banks)
    config = lifetime_config(setting)
    config = replace(config, perturbation=replace(config.perturbation, amplitude=0.0))
    learnt = run_reference(params, groups, batch, config).result.loss_PK
    still = replace(config, rule=replace(config.rule, first_trial=setting.trials))
    apart = (run_reference(params, groups, batch, still).result.loss_PK - learnt).abs().max()
    assert apart > 0.01, "plasticity goes untested"
    return params, batch, learnt


@pytest.mark.skipif(jax_rules.missing() is not None, reason=str(jax_rules.missing()))
@pytest.mark.parametrize("rule", jax_rules.CHANGES)
def test_jax_programs_of_rules_live_the_same_lives(rule: str) -> None:
    params, batch, expected = _unperturbed(rule)
    found = jax_rules.live(rule, params, batch, expected.shape[1], amplitude=0.0)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


def test_stepping_a_network_in_numpy_lives_the_same_lives() -> None:
    params, batch, expected = _unperturbed("abcd")
    for person in (0, 5):
        found = numpy_stepping.live(params, batch, person, expected.shape[1], amplitude=0.0)
        torch.testing.assert_close(torch.from_numpy(found), expected[person], atol=1e-3, rtol=0)


def test_stepping_in_neurogym_lives_the_same_lives() -> None:
    """Trial by trial: what an action changes would change a length, a reward, or a loss."""
    config = replace(neurogym_stepping.CONFIG, num_trials=15, scored_trials=5)
    lives = neurogym_stepping.population(2 * len(neurogym_stepping.TASKS), 15, 2, 40)
    ours = run_lifetimes(lives.params, lives.groups, lives.batch, config, engine="cpu")
    courses = set()
    for person in range(0, 2 * len(neurogym_stepping.TASKS), 2):
        draw = neurogym_stepping.replayed(lives, person, config)
        theirs = neurogym_stepping.live(lives, person, config, draw)
        assert [len(actions) for actions in theirs.action_KT] == ours.steps_PK[person].tolist()
        np.testing.assert_allclose(theirs.reward_K, ours.reward_PK[person], atol=1e-5)
        np.testing.assert_allclose(theirs.loss_K, ours.loss_PK[person], atol=1e-4)
        courses.add(tuple(action for actions in theirs.action_KT for action in actions))
    assert any(len(set(course)) > 1 for course in courses), "no action is ever exchanged"


def test_stepping_in_neurogym_draws_perturbations_of_the_same_distribution() -> None:
    config = replace(neurogym_stepping.CONFIG, num_trials=15, scored_trials=5)
    lives = neurogym_stepping.population(2, 15, 2, 400)
    draws = (
        neurogym_stepping.drawn(lives, config, 0),
        neurogym_stepping.replayed(lives, 0, config),
    )
    for measure in (lambda xi: xi != 0, np.abs):
        ours, theirs = (
            np.array([measure(draw(trial, step)) for trial in range(10) for step in range(2, 40)])
            for draw in draws
        )
        apart = abs(ours.mean() - theirs.mean())
        assert apart < 4 * np.hypot(ours.std(), theirs.std()) / ours.size**0.5
    for draw in draws:
        assert not draw(0, 1).any()
        assert not draw(12, 20).any()
        assert -0.5 <= min(draw(0, step).min() for step in range(2, 40)) < -0.45
