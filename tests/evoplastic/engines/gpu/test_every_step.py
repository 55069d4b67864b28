"""The schedule every_step on the GPU: what fits on chip, and its checks in their process."""

from __future__ import annotations

import pytest

from evoplastic.engines.gpu.engine import gpu_covers
from evoplastic.engines.gpu.every_step.codes import compiled, matrices_of, rule_codes
from evoplastic.engines.gpu.sizes import make_tiles
from evoplastic.engines.structure import compile_rule
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig
from tests.evoplastic.engines.cases import make_bank, make_batch, make_params, with_evolved
from tests.evoplastic.engines.gpu.process import needs_gpu, needs_triton, run_checks
from tests.evoplastic.rules.forms import FORMS

EVERY_STEP = [name for name, rule in RULES.items() if rule.schedule == "every_step"]


@needs_triton
def test_every_step_passes_its_checks_under_the_interpreter() -> None:
    run_checks("every_step_checks.py", interpreted=True)


@needs_triton
@needs_gpu
def test_every_step_passes_its_checks_on_the_gpu() -> None:
    run_checks("every_step_checks.py", interpreted=False)


@pytest.mark.parametrize("name", EVERY_STEP)
@pytest.mark.parametrize("neurons", [13, 70, 512])
def test_any_rule_is_covered_and_fits_its_tiles(name: str, neurons: int) -> None:
    groups = NeuronGroups(num_neurons=neurons)
    config = LifetimeConfig(rule=RuleConfig(name=name))
    assert gpu_covers(groups, make_batch([make_bank(1)], 1), config) is None
    tiles = make_tiles(groups, config)
    assert tiles.on_chip == (neurons <= 70)
    if tiles.on_chip:
        numbers = matrices_of(config.rule) * tiles.row * tiles.wide
        assert numbers / (32 * tiles.num_warps) <= 160
        assert tiles.num_warps * tiles.programs_per_processor == 8


def test_a_rule_with_more_matrices_than_fit_streams() -> None:
    groups = NeuronGroups(num_neurons=70, num_inputs=20, num_outputs=6)
    few, many = (LifetimeConfig(rule=RuleConfig(name=name)) for name in ("oja", "abcd_rates"))
    assert make_tiles(groups, few).on_chip
    assert not make_tiles(groups, many).on_chip


@pytest.mark.parametrize("chosen", FORMS.values(), ids=FORMS.keys())
def test_a_structure_needs_no_individuals(chosen: dict[str, object]) -> None:
    rule, groups = RuleConfig(**chosen), NeuronGroups(num_neurons=14)  # type: ignore[arg-type]
    params = with_evolved(make_params(groups, 2), groups, rule)
    assert compiled(rule) == compile_rule(rule.table, params.rule.coefficients)


def test_what_a_kernel_is_compiled_for_tells_rules_apart_and_numbers_not() -> None:
    same = {"abcd", "abcd_rates", "abcd_clustered"}  # matrices of coefficients, whatever is in them
    assert len({rule_codes(RuleConfig(name=name)) for name in same}) == 1
    others = {rule_codes(RuleConfig(name=name)) for name in EVERY_STEP if name not in same}
    assert len(others) == len(EVERY_STEP) - len(same)
    assert rule_codes(RuleConfig(name="oja", eta=0.5)) == rule_codes(RuleConfig(name="oja"))
