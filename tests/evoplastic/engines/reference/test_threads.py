"""The reference computes on the thread that calls it, and leaves PyTorch as it was."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from evoplastic.engines.reference.engine import run_reference
from evoplastic.engines.reference.threads import one_thread
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.order import TrialStreams
from evoplastic.trials.stacked import StackedTables
from evoplastic.trials.world import TableWorld, World
from tests.evoplastic.engines.cases import make_config, make_params
from tests.evoplastic.engines.self_paced_cases import make_free_batch, make_node_bank


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@dataclass
class Watched:
    """Trials of a table that note how many threads PyTorch has when they begin."""

    tables: StackedTables
    seen: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tables, name)

    def open(self, streams: TrialStreams) -> World:
        self.seen.append(torch.get_num_threads())
        return TableWorld(self.tables, streams)


def test_a_lifetime_is_computed_on_one_thread(three_threads: None) -> None:
    groups = NeuronGroups(num_neurons=14)
    batch = make_free_batch([make_node_bank(0)], groups, 2)
    watched: Any = Watched(batch.tables)
    run_reference(make_params(groups, 2), groups, batch._replace(tasks=watched), make_config())
    assert watched.seen == [1]
    assert torch.get_num_threads() == 3


def test_what_fails_leaves_the_number_of_threads_as_it_was(three_threads: None) -> None:
    with pytest.raises(ValueError, match="on purpose"), one_thread():
        raise ValueError("on purpose")
    assert torch.get_num_threads() == 3


def test_lifetimes_side_by_side_leave_the_number_of_threads_as_it_was(
    three_threads: None,
) -> None:
    first_is_in, second_is_in = threading.Event(), threading.Event()
    seen: dict[str, tuple[int, int]] = {}

    def first() -> None:
        with one_thread():
            first_is_in.set()
            assert second_is_in.wait(30)
            inside = torch.get_num_threads()
        seen["first"] = (inside, torch.get_num_threads())

    def second() -> None:
        assert first_is_in.wait(30)
        with one_thread():
            second_is_in.set()
            inside = torch.get_num_threads()
        seen["second"] = (inside, torch.get_num_threads())

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"first": (1, 3), "second": (1, 3)}
