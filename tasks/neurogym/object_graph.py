"""What an environment holds: its random generators, and everything that could change in a step.

An environment is somebody else's object, often several (wrappers, schedules, one environment per
modality). Both questions that a bank must ask of it, "which generators must be seeded" and "did a
step leave anything behind", are answered by walking along its attributes.
"""

from __future__ import annotations

import ctypes
import random
import types
from collections import deque
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
from neurogym.core import TrialEnv

from tasks.neurogym.ground_truth import BUILT

CLOCK = ("t", "t_ind", "performance")  # of a TrialEnv; its own step() resets them with each trial
OWN_BUSINESS = (*CLOCK, "_top", "add_period", BUILT)  # set by whoever probes
PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)
SEQUENCES = (list, tuple, deque)
SETS = (set, frozenset)
RandomState = (
    np.random.RandomState
)  # the class itself: whoever seeds constructors replaces the name
MERSENNE_BYTES = 4 * (624 + 1)
RANDOM = (RandomState, np.random.Generator, random.Random)


def generators(root: Any) -> list[Any]:
    """Each random generator that `root` reaches, once, in an order that two like objects share."""
    return [leaf for _, leaf in _leaves(root) if isinstance(leaf, RANDOM)]


def trial_envs(root: Any) -> list[TrialEnv]:
    """Each `TrialEnv` that `root` reaches: one, or several behind a schedule."""
    found: list[TrialEnv] = []
    for _ in _leaves(root, found):
        pass
    return found


def seed_generators(root: Any, seed: int) -> None:
    """Give each generator a child of `seed`, another one for each; they stay the same objects."""
    found = generators(root)
    children = np.random.SeedSequence(seed).spawn(len(found))
    for generator, child in zip(found, children, strict=True):
        if isinstance(generator, RandomState):
            generator.seed(child.generate_state(4))
        elif isinstance(generator, np.random.Generator):
            bits = type(generator.bit_generator)(child)
            generator.bit_generator.state = bits.state
        else:
            generator.seed(int(child.generate_state(1)[0]))


def random_state(found: list[Any]) -> list[Any]:
    """Where each generator stands, quickly: the second of a pair of legacy normals goes unseen."""
    return [_words(generator) or _value(generator) for generator in found]


def _words(generator: Any) -> bytes | None:
    """Key and position of a Mersenne twister; asking it for its state takes 200 times as long."""
    bits = getattr(generator, "_bit_generator", None)
    if not isinstance(bits, np.random.MT19937):
        return None
    return ctypes.string_at(bits.ctypes.state_address, MERSENNE_BYTES)


def state_of(root: Any) -> dict[str, Any]:
    """Everything that `root` reaches except clocks, by path; equal before and after = unchanged."""
    return {path: _value(leaf) for path, leaf in _leaves(root)}


def changed_path(before: dict[str, Any], after: dict[str, Any]) -> str | None:
    """The first path whose value differs."""
    paths = dict.fromkeys((*before, *after))
    return next((p for p in paths if before.get(p, paths) != after.get(p, paths)), None)


def is_random(path: str) -> bool:
    """Whether a path of `state_of` is the state of a random generator."""
    return path.endswith("<generator>")


def _value(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        content = repr(leaf.tolist()) if leaf.dtype.hasobject else hash(leaf.tobytes())
        return leaf.dtype.str, leaf.shape, content
    if isinstance(leaf, RandomState):
        _, key, *rest = leaf.get_state(legacy=True)
        return hash(np.asarray(key).tobytes()), *rest
    if isinstance(leaf, np.random.Generator):
        return repr(leaf.bit_generator.state)
    if isinstance(leaf, random.Random):
        return hash(leaf.getstate())
    return repr(leaf)  # of plain values, so that NaN equals NaN


def _leaves(root: Any, envs: list[TrialEnv] | None = None) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = [(type(root).__name__, root)]
    while todo:
        path, here = todo.pop()
        if isinstance(here, PLAIN):
            yield path, here
            continue
        if id(here) in seen:
            continue
        seen.add(id(here))
        if isinstance(here, np.ndarray):
            yield path, here
        elif isinstance(here, RANDOM):
            yield f"{path}<generator>", here
        else:
            if isinstance(here, TrialEnv) and envs is not None:
                envs.append(here)
            below = _below(path, here)
            if isinstance(here, (dict, *SEQUENCES, *SETS)):
                yield f"{path}<length>", len(here)
            todo.extend(reversed(below))


def _below(path: str, here: Any) -> list[tuple[str, Any]]:
    if isinstance(here, dict):
        return [(f"{path}[{key!r}]", value) for key, value in here.items()]
    if isinstance(here, SEQUENCES):
        return [(f"{path}[{number}]", value) for number, value in enumerate(here)]
    if isinstance(here, SETS):
        return [(f"{path}[{number}]", value) for number, value in enumerate(sorted(here, key=repr))]
    if isinstance(here, gymnasium.Space):
        # low and high never change; sampling does change the generator
        return [(f"{path}._np_random", getattr(here, "_np_random", None))]
    if isinstance(here, types.FunctionType):
        return [(f"{path}.{name}", value) for name, value in _closure(here)]
    if isinstance(here, types.MethodType):
        return [(path, here.__self__)]
    if isinstance(here, type | types.ModuleType) or not hasattr(here, "__dict__"):
        return []
    skipped = OWN_BUSINESS if isinstance(here, TrialEnv) else ()
    name = type(here).__name__ if isinstance(here, TrialEnv) else path
    attributes = [
        (f"{name}.{key}", value) for key, value in vars(here).items() if key not in skipped
    ]
    return attributes + _class_data(here)


def _closure(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What a lambda holds: its own variables and defaults."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from (function.__kwdefaults__ or {}).items()
    yield from (
        (f"default{number}", value) for number, value in enumerate(function.__defaults__ or ())
    )


def _class_data(here: Any) -> list[tuple[str, Any]]:
    """Data on the classes of a task, below `TrialEnv`: a counter there outlives the instance."""
    if not isinstance(here, TrialEnv):
        return []
    classes = [
        cls for cls in type(here).__mro__ if issubclass(cls, TrialEnv) and cls is not TrialEnv
    ]
    return [
        (f"{cls.__name__}.{key}", value)
        for cls in classes
        for key, value in vars(cls).items()
        if not key.startswith("__")
        and key != "metadata"
        and isinstance(value, (*PLAIN, dict, *SEQUENCES, *SETS, np.ndarray, *RANDOM))
    ]
