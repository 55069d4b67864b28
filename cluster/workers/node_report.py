"""A worker's first word: where it is, on what, and which engine would run there."""

from __future__ import annotations

import os
from typing import NamedTuple

from cluster.executors import genome_room_bytes
from evoplastic.checks import UsageError
from evoplastic.engines import choose_engine
from evoplastic.engines.demand import Demand
from evoplastic.machine import processor


class Question(NamedTuple):
    """What a worker is asked when it comes up."""

    engine: str  # of `ENGINES`; "auto": whichever it would choose
    demand: Demand  # what will be simulated


class NodeReport(NamedTuple):
    """What it answers."""

    pid: int
    node_id: str  # by which Ray knows the node
    processor: str  # model of its CPU
    gpu: str  # model of the GPU that it sees; "" for none
    engine: str = ""  # that it runs; "" if it was not asked, or can run none that it was asked for
    refusal: str = ""  # why not
    room_bytes: int = 0  # of its GPU, that genomes may take; 0 if lifetimes run on a CPU

    @property
    def simulates_on(self) -> str:
        """The model of what lifetimes run on; bits are promised on one model."""
        return self.gpu if self.engine == "gpu" else self.processor


def report(question: Question | None) -> NodeReport:
    """Of this process, a worker of Ray's."""
    engine, refusal, room_bytes = "", "", 0
    if question is not None:
        try:
            engine = choose_engine(question.engine, question.demand)
        except UsageError as error:
            refusal = str(error)
    if engine == "gpu":
        room_bytes = genome_room_bytes(engine)
    import ray

    node_id = ray.get_runtime_context().get_node_id()
    model = processor()["model name"]
    return NodeReport(os.getpid(), node_id, model, _gpu(), engine, refusal, room_bytes)


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""
