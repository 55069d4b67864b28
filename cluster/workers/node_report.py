"""A worker's first word: where it is, on what, and which engine would run there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cluster.executors import genome_room_bytes
from evoplastic.checks import UsageError
from evoplastic.engines import choose_engine
from evoplastic.engines.demand import Demand


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
    room_bytes: int = 0  # of a GPU that simulates, for the genomes of a batch
    unfit: str = ""  # why the node cannot work at all, and what to install there
    remark: str = ""  # what is worth knowing of the node

    @property
    def simulates_on(self) -> str:
        """The model of what lifetimes run on; bits are promised on one model."""
        return self.gpu if self.engine == "gpu" else self.processor


def report(word: Mapping[str, Any], question: Question | None) -> NodeReport:
    """Of this process, a worker of Ray's.

    Args:
        word: its first, as `node_facts.first_word` says it.
        question: what it is asked, if anything.
    """
    engine = refusal = ""
    if question is not None:
        try:
            engine = choose_engine(question.engine, question.demand)
        except UsageError as error:
            refusal = str(error)
    return NodeReport(
        word["pid"],
        word["node_id"],
        word["processor"],
        _gpu(),
        engine,
        refusal,
        genome_room_bytes(engine) if engine == "gpu" else 0,
        remark=word["remark"],
    )


def heard(answer: NodeReport | Mapping[str, Any]) -> NodeReport:
    """What a worker answered; one on a node without our package has plain values alone."""
    if isinstance(answer, NodeReport):
        return answer
    return NodeReport(
        answer["pid"], answer["node_id"], answer["processor"], "", unfit=answer["unfit"]
    )


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""
