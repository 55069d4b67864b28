"""Every modulation of the table, and what else can be said: options of lifetimes that tests run.

Fan-outs begin with a spread here, so that every neuron is modulated in a way of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from evoplastic.modulation.catalogue import MODULATIONS
from evoplastic.modulation.table import Channel

NETWORK = {"name": "node_perturbation_network", "eta": 0.005}
OUTCOME = {"name": "node_perturbation", "eta": 0.3}


def _spread(*channels: Channel) -> tuple[Channel, ...]:
    return tuple(
        replace(channel, spread=0.5) if channel.scope == "neuron" else channel
        for channel in channels
    )


def _of(rule: dict[str, Any], *channels: Channel, **options: Any) -> dict[str, Any]:
    written = {"name": "mine", "channels": _spread(*channels), **options}
    return {"rule": rule, "modulation": written}


PLASTICITY, GAIN, THRESHOLD = (
    Channel(target="plasticity", init=1.0),
    Channel(target="gain"),
    Channel(target="threshold"),
)
SETTINGS: dict[str, dict[str, Any]] = {
    **{
        f"{name}, {rule['name']}": _of(rule, *entry.channels, num_neurons=entry.num_neurons)
        for name, entry in MODULATIONS.items()
        for rule in (OUTCOME, NETWORK)
    },
    "five neurons without a channel": _of(NETWORK, num_neurons=5),
    "all channels, three neurons": _of(NETWORK, PLASTICITY, GAIN, THRESHOLD, num_neurons=3),
    "activity, outcome": _of(OUTCOME, GAIN, THRESHOLD, num_neurons=3),
    "activity, network": _of(NETWORK, GAIN, THRESHOLD, num_neurons=1),
    "all channels, outcome": _of(OUTCOME, PLASTICITY, GAIN, THRESHOLD, num_neurons=1),
    "one gain for all": _of(
        OUTCOME, Channel(target="gain", scope="all", strength=1.5), num_neurons=3
    ),
    "one threshold for hidden neurons": _of(
        NETWORK, Channel(target="threshold", scope="all", onto="hidden", strength=-0.4)
    ),
    "gain of a rule that nothing modulates": _of(
        {"name": "oja", "eta": 0.02}, GAIN, THRESHOLD, num_neurons=2
    ),
    "fan-out of a rule with a decay": _of(
        {"name": "weight_decay", "eta": 0.3}, PLASTICITY, num_neurons=2
    ),
    "fan-out of a Hebbian rule": _of(
        {"name": "backpropamine", "eta": 0.02}, PLASTICITY, num_neurons=4
    ),
    "spared modulators": {
        **_of(NETWORK, GAIN, num_neurons=3),
        "perturbation": {"perturb_modulators": False},
    },
    "gate at feedback": {
        **_of({**NETWORK, "gate": "feedback"}, PLASTICITY, num_neurons=2),
        "smoothness_penalty": 0.1,
    },
}
