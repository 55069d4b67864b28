"""Demands that use each of the GPU's kernels: every schedule, layout and kind of trials."""

from __future__ import annotations

from itertools import product

from evoplastic.engines.demand import Demand
from evoplastic.engines.gpu.sizes import make_tiles
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.config import RuleConfig

SMALL, LARGE = 20, 140  # neurons: on chip with any schedule, and with none
BY_TRACE = [name for name, rule in RULES.items() if rule.schedule != "every_step"]
KERNELS = [*product([*BY_TRACE, "oja"], (SMALL, LARGE), (False, True))]  # oja for any every_step


def demand(rule: str, num_neurons: int, self_paced: bool) -> Demand:
    groups = NeuronGroups(num_neurons=num_neurons, num_inputs=3, num_outputs=3)
    return Demand(groups, LifetimeConfig(rule=RuleConfig(name=rule)), self_paced)


def kernel_of(asked: Demand) -> tuple[str, bool, bool]:
    """Schedule, layout and kind of trials."""
    tiles = make_tiles(asked.groups, asked.config, self_paced=asked.self_paced)
    return asked.config.rule.table.schedule, tiles.on_chip, asked.self_paced
