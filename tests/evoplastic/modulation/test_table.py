"""What a modulation may be, and what it may modulate: contradictions are refused with a way out."""

from __future__ import annotations

from typing import Any

import pytest

from evoplastic.checks import UsageError
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.modulation.catalogue import MODULATIONS
from evoplastic.modulation.config import ModulationConfig
from evoplastic.modulation.table import Channel
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig


@pytest.mark.parametrize("name", MODULATIONS)
def test_every_entry_says_what_it_computes_and_where_it_comes_from(name: str) -> None:
    entry = MODULATIONS[name]
    assert entry.name == name
    assert entry.title
    assert entry.source
    assert entry.equations


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", MODULATIONS)
def test_modulation_of_activity_goes_with_every_rule(name: str, rule: str) -> None:
    fans_out = MODULATIONS[name].onto("plasticity") is not None
    chosen, modulation = RuleConfig(name=rule), ModulationConfig(name=name)
    if fans_out and RULES[rule].modulator == "none":
        with pytest.raises(UsageError, match="has no modulator"):
            LifetimeConfig(rule=chosen, modulation=modulation)
        return
    schedule = LifetimeConfig(rule=chosen, modulation=modulation).schedule
    assert schedule == ("every_step" if fans_out else RULES[rule].schedule)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "gian"}, "unknown modulation 'gian'; did you mean 'gain'"),
        ({"num_neurons": 0}, "has 0 modulatory neurons, expected at least 1"),
        (
            {"name": "m", "channels": (Channel(target="gain"), Channel(target="gain"))},
            "2 channels onto gain, expected one",
        ),
    ],
)
def test_impossible_modulations_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ModulationConfig(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "gane"}, "unknown target of a modulation 'gane'; did you mean 'gain'"),
        ({"target": "gain", "source": "outcome"}, "known once per trial"),
        ({"target": "gain", "source": "reward"}, "unknown source"),
        ({"target": "plasticity", "scope": "all"}, "what a modulated rule has without one"),
        ({"target": "plasticity", "onto": "hidden"}, "reaches 'hidden' neurons, expected all"),
        ({"target": "gain", "scope": "each"}, "unknown scope"),
        ({"target": "gain", "onto": "none"}, "unknown onto"),
        ({"target": "gain", "spread": -1.0}, "spread is -1.0"),
        ({"target": "gain", "scale": 0.0}, "scale is 0.0"),
        ({"target": "gain", "strength": float("nan")}, "strength is nan"),
    ],
)
def test_impossible_channels_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Channel(**options)


def test_a_channel_of_another_source_than_the_rule_is_refused() -> None:
    channel = Channel(target="plasticity", source="network")
    with pytest.raises(UsageError, match="is modulated by 'outcome'"):
        LifetimeConfig(modulation=ModulationConfig(name="m", channels=(channel,)))


def test_modulators_without_a_rule_they_modulate_are_not_smooth() -> None:
    with pytest.raises(UsageError, match="no modulatory signal to be smooth"):
        LifetimeConfig(modulation=ModulationConfig(name="gain"), smoothness_penalty=0.1)


def test_networks_make_room_for_their_modulators() -> None:
    groups = NeuronGroups(num_neurons=20, num_modulators=5)
    assert (groups.modulators, groups.response) == (slice(13, 18), slice(18, 20))
    with pytest.raises(UsageError, match=r"modulator \(9\).* use at least 19 neurons"):
        NeuronGroups(num_neurons=18, num_modulators=9)
    with pytest.raises(UsageError, match="num_modulators is 0"):
        NeuronGroups(num_modulators=0)
