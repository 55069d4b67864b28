"""What a search remembers whose center takes steps of Adam: the center, and Adam's moments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from evoplastic.checks import require
from evoplastic.genome.layout import Layout


class AdamState(NamedTuple):
    """All that such a search remembers between generations, by the names of checkpoints."""

    center_G: Tensor
    m_G: Tensor  # Adam's first moment
    v_G: Tensor  # Adam's second moment
    t: Tensor  # number of steps taken, float32 scalar


def first_state(center_G: Tensor) -> AdamState:
    """The state of a search that has taken no step."""
    zeros_G = torch.zeros_like(center_G)
    t = torch.zeros((), dtype=torch.float32)
    return AdamState(center_G.clone(), zeros_G, zeros_G.clone(), t)


def restored(tensors: Mapping[str, Tensor], layout: Layout, named: str) -> AdamState:
    """The state of a checkpoint's tensors.

    Args:
        tensors: by name.
        layout: of the genomes.
        named: the search, for messages.

    Raises:
        UsageError: other names or shapes than those of such a search.
    """
    require(
        set(tensors) == set(AdamState._fields),
        f"a state of the tensors {sorted(tensors)} came, search {named!r} expects "
        f"{sorted(AdamState._fields)}",
    )
    for name in ("center_G", "m_G", "v_G"):
        shape = tuple(tensors[name].shape)
        require(
            shape == (layout.size,),
            f"{name} of the state has shape {shape}, expected ({layout.size},)",
        )
    return AdamState(**tensors)
