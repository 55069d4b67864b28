"""What some lifetimes will ask of an engine, known before any of them is simulated."""

from __future__ import annotations

from typing import NamedTuple

from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups


class Demand(NamedTuple):
    """From it follow schedule, layout, kind of trials and whether there are courses,
    and so the kernel.

    The default is the published setting.
    """

    groups: NeuronGroups = NeuronGroups()
    config: LifetimeConfig = LifetimeConfig()
    self_paced: bool = False
    streams: bool = False  # whether some task is a stream
