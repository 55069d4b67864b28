"""Something to run lifetimes in place of the engines: to look into them, or to intervene."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from evoplastic.engines import RunLifetimes
from evoplastic.lifetime.batch import LifetimeBatch, LifetimeResult, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups


class Lifetimes(NamedTuple):
    """P lifetimes that are to be run: the arguments of `run_lifetimes`."""

    params: PlasticParams
    groups: NeuronGroups
    batch: LifetimeBatch
    config: LifetimeConfig


def standing_in(live: Callable[[Lifetimes, str, int], LifetimeResult]) -> RunLifetimes:
    """What has the arguments of `run_lifetimes`, and runs `live(lifetimes, engine, threads)`."""

    def run(
        params: PlasticParams,
        groups: NeuronGroups,
        batch: LifetimeBatch,
        config: LifetimeConfig,
        *,
        engine: str = "auto",
        threads: int = 0,
    ) -> LifetimeResult:
        return live(Lifetimes(params, groups, batch, config), engine, threads)

    return run
