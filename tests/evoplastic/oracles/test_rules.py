"""The reference equals the oracle for every rule that is listed, and for all a table can say."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from evoplastic.engines.reference.engine import run_reference
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.table import FACTORS, Credit, Term
from tests.evoplastic.engines.cases import (
    make_bank,
    make_batch,
    make_config,
    make_params,
    with_evolved,
)
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank
from tests.evoplastic.oracles.lifetime import live
from tests.evoplastic.rules.forms import FORMS
from tests.evoplastic.rules.toys import TOYS

GROUPS = NeuronGroups(num_neurons=14)
LISTED: dict[str, dict[str, object]] = {
    **{name: {"name": name, "max_change": 0.02, "max_p": 0.05} for name in [*RULES, *TOYS]},
    **FORMS,
}


@pytest.mark.parametrize("self_paced", [False, True], ids=["fixed timing", "self-paced"])
@pytest.mark.parametrize("name", LISTED)
def test_reference_equals_the_oracle(
    name: str, self_paced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for toy, rule in TOYS.items():
        monkeypatch.setitem(RULES, toy, rule)
    config = make_config(rule=LISTED[name], num_trials=6)
    if self_paced:
        batch = make_free_batch([make_node_bank(0), make_node_bank(1)], GROUPS, 2)
    else:
        batch = make_batch([make_bank(0), make_bank(1)], 2)
    params = with_evolved(make_params(GROUPS, 2), GROUPS, config.rule)
    trace = run_reference(params, GROUPS, batch, config, dtype=torch.float64)
    unclamped = slice(GROUPS.num_clamped, None)  # what clamped neurons receive reaches nothing
    for p in range(2):
        life = live(params, GROUPS, batch, config, p)
        assert life.events.changes > 0
        for what, ours, theirs in (
            ("loss", trace.result.loss_PK[p], life.loss_K),
            ("smoothness", trace.result.smoothness_P[p], life.smoothness),
            ("rate", trace.state.rate_PN[p], life.rate_N),
            ("p", trace.state.p_PNN[p, unclamped], life.p_NN[unclamped]),
            ("elig", trace.state.elig_PNN[p, unclamped], life.elig_NN[unclamped]),
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=what)


def test_the_toys_use_every_word_of_a_table() -> None:
    terms = [term for rule in TOYS.values() for term in rule.change]
    credits = [credit for rule in TOYS.values() for credit in rule.credits]
    parts: list[Term | Credit] = [*terms, *credits]
    assert {part.post for part in parts} == {part.pre for part in parts} == set(FACTORS)
    assert {(rule.modulator, rule.when) for rule in TOYS.values()} == set(
        product(("none", "outcome", "network"), ("step", "outcome"))
    ) - {("outcome", "step")}
    for what in ("trace_first", "clips_change", "clips_p", "normalises"):
        assert {getattr(rule, what) for rule in TOYS.values()} == {True, False}
    assert {rule.schedule for rule in TOYS.values()} == {"at_outcome", "lazy", "every_step"}
