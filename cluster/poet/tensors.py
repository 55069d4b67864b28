"""The state of a run of POET as named tensors, and back; environments are text in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cluster.poet.environments import KINDS, Environment, PoetState, Transfer
from evoplastic.checks import UsageError, require
from evoplastic.search.protocol import AnySearch
from tasks.machines.generated.filters import Levels
from tasks.machines.metatasks.reading import from_plain
from tasks.machines.metatasks.writing import to_plain

PAIR, ARCHIVED = "pair_", "archived_"
TABLES = ("world", "environments", "scores", "transfers", "leader")


def to_tensors(
    state: PoetState, world: str, search_of: Callable[[int], AnySearch]
) -> dict[str, Tensor]:
    """All that the state holds.

    Args:
        state: to be written.
        world: what environments have to fit: of another one, nothing is read.
        search_of: the search of each pair.
    """
    tensors = {
        "world": _text(world),
        "environments": _text(json.dumps([_plain(each) for each in state.environments])),
        "scores": torch.from_numpy(state.score_EE.copy()),
        "transfers": torch.tensor([_row(each) for each in state.transfers], dtype=torch.float64),
        "leader": torch.tensor([state.leader], dtype=torch.int64),
    }
    for number, own in state.pairs.items():
        for name, tensor in search_of(number).tensors(own).items():
            tensors[f"{PAIR}{number}/{name}"] = tensor
    for number, genome_G in state.archived.items():
        tensors[f"{ARCHIVED}{number}"] = genome_G
    return tensors


def from_tensors(
    tensors: Mapping[str, Tensor], world: str, search_of: Callable[[int], AnySearch]
) -> PoetState:
    """The state of these tensors.

    Raises:
        UsageError: they are of another search or world, or contradict each other.
    """
    lacking = [name for name in TABLES if name not in tensors]
    require(
        not lacking,
        f"the checkpoint is not of POET: it lacks {', '.join(lacking)}; go on with a run whose "
        "recipe has a section poet",
    )
    found = _read_text(tensors["world"])
    require(
        found == world,
        f"the archive of environments is of another world ({found}, expected {world}): it was made "
        "for other lines of the network, other limits of poet, or other held-out tasks; restore "
        "the run's own checkpoint, or start a new run",
    )
    try:
        environments = tuple(
            _environment(number, values)
            for number, values in enumerate(json.loads(_read_text(tensors["environments"])))
        )
        pairs, archived = _genomes(tensors, search_of)
        score_EE, size = tensors["scores"].numpy().copy(), len(environments)
        require(
            score_EE.shape == (size, size)
            and sorted([*pairs, *archived]) == list(range(size))
            and set(archived) == {e.number for e in environments if e.retired is not None},
            f"{size} environments, scores of shape {score_EE.shape}, {len(pairs)} pairs and "
            f"{len(archived)} archived genomes do not belong together",
        )
        return PoetState(
            environments=environments,
            pairs=pairs,
            archived=archived,
            score_EE=score_EE,
            transfers=tuple(_transfer(row) for row in tensors["transfers"].reshape(-1, 7).tolist()),
            leader=int(tensors["leader"][0]),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UsageError(f"the checkpoint holds no archive of POET: {error}") from error


def _genomes(
    tensors: Mapping[str, Tensor], search_of: Callable[[int], AnySearch]
) -> tuple[dict[int, Any], dict[int, Tensor]]:
    own: dict[int, dict[str, Tensor]] = {}
    archived: dict[int, Tensor] = {}
    for word, tensor in tensors.items():
        if word.startswith(PAIR):
            number, _, name = word.removeprefix(PAIR).partition("/")
            own.setdefault(int(number), {})[name] = tensor
        elif word.startswith(ARCHIVED):
            archived[int(word.removeprefix(ARCHIVED))] = tensor
    pairs = {number: search_of(number).restore(own[number]) for number in sorted(own)}
    return pairs, dict(sorted(archived.items()))


def _plain(each: Environment) -> dict[str, Any]:
    values = {name: getattr(each, name) for name in Environment.__dataclass_fields__}
    del values["number"]
    return values | {"task": to_plain(each.task), "levels": each.levels._asdict()}


def _environment(number: int, values: dict[str, Any]) -> Environment:
    task = from_plain(values["task"], f"environment {number}")
    levels, recent = Levels(**values["levels"]), tuple(values["recent"])
    return Environment(
        **(values | {"number": number, "task": task, "levels": levels, "recent": recent})
    )


def _row(each: Transfer) -> list[float]:
    values = each._replace(kind=KINDS.index(each.kind))  # type: ignore[arg-type]
    return [float(value) for value in values]


def _transfer(row: list[float]) -> Transfer:
    generation, source, target, kind, score, incumbent, accepted = row
    return Transfer(
        int(generation), int(source), int(target), KINDS[int(kind)], score, incumbent, accepted > 0
    )


def _text(text: str) -> Tensor:
    return torch.from_numpy(np.frombuffer(text.encode(), dtype=np.uint8).copy())


def _read_text(tensor: Tensor) -> str:
    return bytes(tensor.numpy().tobytes()).decode()
