"""The state of POET as tensors, and worlds that it does not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cluster.poet.environments import Transfer
from cluster.poet.tensors import from_tensors, to_tensors
from evoplastic.checks import UsageError
from evoplastic.search.protocol import AnySearch
from tasks.machines.evolving.limits import identity
from tasks.machines.metatasks.catalogue import META_TASKS
from tests.cluster.poet.worlds import genome, make_search, poet, same, scored, state_of, world


def search_of(number: int) -> AnySearch:
    return make_search(number)


def test_tensors_bring_back_all_that_the_state_holds() -> None:
    state = scored(state_of(poet(), 3), [[0.5, 0.1, 0.3]] * 3)
    gone = replace(
        state.of(0), retired=7, solved=6, solver=2, counts=True, novelty=0.25, parent=None
    )
    state = replace(
        state.changed(gone),
        pairs={n: state.pairs[n] for n in (1, 2)},
        archived={0: genome(0)},
        transfers=(Transfer(7, 1, 2, "step", 0.1 + 0.2, -0.3, True),),
        leader=2,
    )
    found = from_tensors(to_tensors(state, "w", search_of), "w", search_of)
    assert found.environments == state.environments
    assert found.transfers == state.transfers
    assert (found.active, found.leader, found.annecs) == ([1, 2], 2, 1)
    assert same(found.archived[0], genome(0))
    assert same(found.pairs[2].center_G, state.pairs[2].center_G)
    again = to_tensors(found, "w", search_of)
    assert {n: t.numpy().tobytes() for n, t in again.items()} == {
        n: t.numpy().tobytes() for n, t in to_tensors(state, "w", search_of).items()
    }


def test_an_archive_of_another_world_is_refused() -> None:
    config = poet()
    tensors = to_tensors(state_of(config, 2), world(config).digest, search_of)
    others = [world(poet(states=6)), world(poet(steps=4)), world(poet(rewards=2))]
    assert len({each.digest for each in others} | {world(config).digest}) == 4
    for other in others:
        with pytest.raises(UsageError, match="archive of environments is of another world"):
            from_tensors(tensors, other.digest, search_of)
    assert world(poet(capacity=5)).digest == world(config).digest, "more room is the same world"
    assert identity(META_TASKS["two-step"]()) in world(config).forbidden


def test_a_checkpoint_without_environments_or_with_wrong_ones_is_refused() -> None:
    state = state_of(poet(), 2)
    tensors = to_tensors(state, "w", search_of)
    with pytest.raises(UsageError, match="is not of POET: it lacks world, environments"):
        from_tensors({"center_G": genome(0)}, "w", search_of)
    fewer = {name: tensor for name, tensor in tensors.items() if not name.startswith("pair_1")}
    with pytest.raises(UsageError, match="1 pairs and 0 archived genomes do not belong together"):
        from_tensors(fewer, "w", search_of)
    torn = tensors | {"environments": tensors["environments"][:-9]}
    with pytest.raises(UsageError, match="holds no archive of POET"):
        from_tensors(torn, "w", search_of)
    with pytest.raises(UsageError, match="holds no archive of POET"):
        from_tensors(tensors | {"transfers": torch.zeros(1, 7) - 5.5}, "w", search_of)
