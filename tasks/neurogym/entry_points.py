"""Tasks of installed packages: entry points of the group `evoplastic.tasks`.

    [project.entry-points."evoplastic.tasks"]
    my-maze = "my_package.maze:Maze"     # a class, a function that returns an environment, or a
                                         # StateMachine

Loading somebody else's code must not change whose task an id is. NeuroGym keeps the first owner of
an id without a word, Gymnasium the last one; here both are refused.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import gymnasium
import neurogym.envs.registration

from evoplastic.checks import UsageError, require
from tasks.machines.state_machine import StateMachine
from tasks.neurogym.faults.raised import CODE_FAULTS

GROUP = "evoplastic.tasks"


def task_entry_points() -> dict[str, EntryPoint]:
    """The tasks of installed packages, by name; nothing of them is imported.

    Raises:
        UsageError: two packages offer different tasks under one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        other = found.setdefault(point.name, point)
        require(
            other.value == point.value,
            f"task {point.name!r} is offered twice as an entry point: {origin(other)} and "
            f"{origin(point)}; remove one of the two packages",
        )
    return found


def origin(point: EntryPoint) -> str:
    """Where an entry point leads, and which package says so."""
    return f"{point.value} of {point.dist.name if point.dist else 'an unknown package'}"


def load_entry_point(point: EntryPoint) -> Callable[..., Any] | StateMachine:
    """The class, factory or state machine of an entry point.

    Raises:
        UsageError: it cannot be imported, is nothing to call, or takes over somebody's id.
    """
    try:
        with guarded_registry(f"entry point {point.name!r}"):
            made = point.load()
    except UsageError:
        raise
    except CODE_FAULTS as error:
        reason = traceback.format_exception_only(error)[-1].strip()
        raise UsageError(
            f"task {point.name!r} cannot be imported from {origin(point)}: {reason}"
        ) from error
    require(
        callable(made) or isinstance(made, StateMachine),
        f"task {point.name!r} from {origin(point)} is {made!r}, expected a class derived from "
        "neurogym's TrialEnv, a function that returns an environment, or a StateMachine",
    )
    return made


@contextmanager
def guarded_registry(who: str) -> Iterator[None]:
    """Raise if code that runs inside registers a task under an id that is already taken.

    Raises:
        UsageError: it does.
    """
    registry = gymnasium.envs.registration.registry
    before = dict(registry)
    modules = (neurogym, neurogym.envs.registration)
    plain = neurogym.envs.registration.register

    def register(id_: str, **kwargs: Any) -> None:
        owner = before.get(id_)
        _refuse_takeover(who, id_, owner, kwargs.get("entry_point"))
        plain(id_, **kwargs)

    for module in modules:
        module.register = register
    try:
        yield
        for id_, owner in before.items():
            if registry.get(id_) is not owner:
                _refuse_takeover(who, id_, owner, getattr(registry.get(id_), "entry_point", None))
    finally:
        registry.update(before)
        for module in modules:
            module.register = plain


def _refuse_takeover(who: str, id_: str, owner: Any, entry_point: Any) -> None:
    require(
        owner is None or owner.entry_point == entry_point,
        f"{who} registers {entry_point} under the id {id_!r}, which belongs to "
        f"{getattr(owner, 'entry_point', None)}; choose another id",
    )
