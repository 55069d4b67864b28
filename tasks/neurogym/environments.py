"""Fresh NeuroGym environments by registered id, by class, or by file; seeded so that they repeat.

NeuroGym seeds every part of an environment alike, which makes draws that should be independent
equal, and leaves what a constructor draws unseeded. Here each generator gets a child of the seed
of its own, and unseeded generators are seeded while the constructor runs.
"""

from __future__ import annotations

import inspect
import random
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import gymnasium
import neurogym
import numpy as np
from neurogym.core import TrialEnv

from evoplastic.checks import UsageError, nearest, require
from evoplastic.user_code.code_files import CodeFile
from evoplastic.user_code.project import is_own, staying_here
from tasks.machines.metatasks.catalogue import META_TASKS, PREFIX
from tasks.machines.metatasks.finding import find_meta_task, is_meta_task
from tasks.machines.metatasks.form import MetaTask
from tasks.machines.state_machine import StateMachine
from tasks.neurogym.entry_points import load_entry_point, origin, task_entry_points
from tasks.neurogym.faults.raised import CODE_FAULTS, MOST_IN_A_ROW
from tasks.neurogym.ground_truth import noting_built
from tasks.neurogym.object_graph import seed_generators, trial_envs
from tasks.neurogym.refusals import Refusal, Unbankable, refuse
from tasks.neurogym.sources.user_file import kept_text, load_task, split_file
from tasks.two_stimulus.task import NAMES

DEFAULT_DT_MS = 20
NOTICES = "(?s).*(render_modes|to get variables from other wrappers is deprecated)"
CONSTRUCTION, TRIALS = 1, 2  # streams of global randomness


@dataclass(frozen=True)
class EnvSource:
    """Where fresh instances of a task come from."""

    # a registered id, a class, a function that makes one, or a machine that needs none
    task: str | Callable[..., Any] | StateMachine
    settings: Mapping[str, Any] = field(default_factory=dict)  # further constructor arguments
    dt_ms: int = DEFAULT_DT_MS
    label: str = ""  # what messages call it
    word: str = ""  # what a user types for it
    meta: MetaTask | None = None  # what the machine was written as, if it is a meta-task

    @property
    def name(self) -> str:
        """The label, the id, or the name of the class."""
        if isinstance(self.task, StateMachine):
            return self.label or self.task.name
        own = self.task if isinstance(self.task, str) else getattr(self.task, "__name__", "")
        return self.label or own

    @property
    def machine(self) -> StateMachine | None:
        """The state machine that the task is; None for an environment.

        Raises:
            UsageError: it is asked for settings or another time step, which it does not take.
        """
        if not isinstance(self.task, StateMachine):
            return None
        require(
            not self.settings,
            f"task {self.name!r} is a StateMachine and takes no settings, but got "
            f"{dict(self.settings)}; leave set out, or define another machine",
        )
        require(
            self.task.dt_ms == self.dt_ms,
            f"task {self.name!r} is a StateMachine with a time step of {self.task.dt_ms:g} ms, "
            f"asked for is one of {self.dt_ms:g} ms; give the machine dt_ms={self.dt_ms:g}",
        )
        return self.task

    def make(self, seed: int) -> Any:
        """A fresh instance (wrappers included), reset and seeded; no trial of it is drawn yet.

        Raises:
            Unbankable: it cannot be made, or has another time step.
        """
        with isolated(seed, CONSTRUCTION):
            try:
                with staying_here():
                    env = self.construct()
            except UsageError:
                raise
            except CODE_FAULTS as error:
                untimed = isinstance(error, AttributeError) and "'timing'" in str(error)
                reason = "no timing" if untimed else "cannot be made"
                raise Unbankable(refuse(reason, self.name, last_line(error))) from error
            base = getattr(env, "unwrapped", env)
            if not isinstance(base, TrialEnv):
                detail = f"{self._made} {type(base).__name__}, expected a neurogym TrialEnv"
                raise Unbankable(refuse("cannot be made", self.name, detail))
            if base.dt != self.dt_ms:
                raise Unbankable(
                    refuse(
                        "cannot be made",
                        self.name,
                        f"its time step is {base.dt} ms, not {self.dt_ms} ms; let its constructor "
                        "take dt and hand it to TrialEnv.__init__, or ask for its own time step",
                    )
                )
            for refusal in self.space_faults(env):
                raise Unbankable(refusal)
            try:
                _reset(env)
            except CODE_FAULTS as error:
                if any(each.tmax < each.dt for each in trial_envs(env)):
                    raise Unbankable(
                        refuse(
                            "no steps",
                            self.name,
                            f"no period of a trial lasts a step of {self.dt_ms} ms; each is "
                            "rounded down to whole steps",
                        )
                    ) from error
                raise Unbankable(refuse_raising(self.name, "reset()", error)) from error
        for each in trial_envs(env):
            # reset() steps once, and the first trial of each would begin at its second step
            each.t, each.t_ind, each.performance = 0, 0, 0
        seed_generators(env, seed)
        return env

    @property
    def _made(self) -> str:
        return "it is of the class" if isinstance(self.task, str | type) else "it returns"

    def space_faults(self, env: Any) -> list[Refusal]:
        """What is wrong with the spaces of an environment: actions first, then observations."""
        found = []
        actions = getattr(env, "action_space", None)
        shown = getattr(env, "observation_space", None)
        if (
            not isinstance(actions, gymnasium.spaces.Discrete)
            or int(actions.start) != 0
            or actions.n < 2
        ):
            detail = f"its action space is {actions}, expected Discrete(n) with n >= 2"
            found.append(refuse("actions", self.name, detail))
        if (
            not isinstance(shown, gymnasium.spaces.Box)
            or len(shown.shape) != 1
            or not shown.shape[0]
        ):
            detail = f"its observation space is {shown}, expected a Box with one axis"
            found.append(refuse("observations", self.name, detail))
        return found

    def construct(self) -> Any:
        """A new instance as its class or function makes it, neither reset nor seeded.

        Raises:
            Exception: whatever its code raises.
        """
        settings = dict(self.settings)
        assert not isinstance(self.task, StateMachine), "a state machine has no environment"
        if isinstance(self.task, str):
            require_registered(self.task)
            env = neurogym.make(self.task, dt=self.dt_ms, **settings)
        else:
            takes_dt = any(
                name == "dt" or parameter.kind is parameter.VAR_KEYWORD
                for name, parameter in constructor_parameters(self.task).items()
            )
            env = self.task(**({"dt": self.dt_ms} if takes_dt else {}), **settings)
        while isinstance(env, gymnasium.wrappers.OrderEnforcing | gymnasium.wrappers.TimeLimit):
            env = env.env  # adds nothing to a trial
        return env


def _reset(env: Any) -> None:
    """Reset, which draws a trial and steps once; again with the next trial where that raises."""
    for _ in range(MOST_IN_A_ROW):
        try:
            with noting_built(trial_envs(env)):
                env.reset()
            return
        except CODE_FAULTS as raised:
            error = raised
    raise error


def constructor_parameters(made: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What a class or function takes; NeuroGym's metaclass hides it behind `(*args, **kwargs)`."""
    constructor = made.__init__ if isinstance(made, type) else made  # type: ignore[misc]
    parameters = dict(inspect.signature(constructor).parameters)
    if isinstance(made, type):
        parameters.pop(next(iter(parameters)))  # self
    return parameters


def registered_ids() -> list[str]:
    """Every id that NeuroGym registers, natives and collections, and ours."""
    from neurogym.envs.registration import ALL_EXTENDED_ENVS

    import tasks.neurogym.go_or_hold  # registers its id, as the next ones do
    import tasks.neurogym.meta_bandit
    import tasks.two_stimulus.env  # noqa: F401

    ours = [name for name in gymnasium.envs.registry if name.startswith("evoplastic/")]
    return sorted([*ALL_EXTENDED_ENVS, *ours])


def require_registered(name: str) -> None:
    """Raise unless NeuroGym or gymnasium knows the id.

    Raises:
        UsageError: unknown id, with the nearest one.
    """
    if name not in gymnasium.envs.registry:
        known = registered_ids()
        require(name in gymnasium.envs.registry, f"unknown task {name!r}; {nearest(name, known)}")


def find_source(
    name: str,
    settings: Mapping[str, Any] | None = None,
    dt_ms: int = DEFAULT_DT_MS,
    kept: Sequence[CodeFile] = (),
) -> EnvSource:
    """The task a user means: a registered id (with or without `-v0`), `file.py:Name` of a class, a
    function that makes an environment, or a state machine, the name of an entry point, or a
    meta-task (`meta/NAME`, or its file).

    Args:
        name: what was typed.
        settings: further constructor arguments.
        dt_ms: time step.
        kept: the texts of files, which run in place of what lies there; the first is the task's.

    Raises:
        UsageError: unknown id, no such file or class, a file or an entry point that cannot be
            imported, or a name that stands for an id and an entry point.
    """
    in_file = split_file(name)
    if in_file is not None:
        task = load_task(Path(kept[0].path) if kept else in_file[0], in_file[1], kept)
        label = "" if isinstance(task, StateMachine) else in_file[1]
        return EnvSource(task, settings or {}, dt_ms, label=label, word=name)
    if is_meta_task(name):
        meta = find_meta_task(name, settings, kept_text(name, kept))
        return EnvSource(meta.machine(float(dt_ms)), {}, dt_ms, word=name, meta=meta)
    points, known = task_entry_points(), registered_ids()
    refuse_collisions(points, known)
    if name in points:
        made = load_entry_point(points[name])
        return EnvSource(made, settings or {}, dt_ms, label=name, word=name)
    if name not in gymnasium.envs.registry:
        aliases = {f"{name}-v0", f"evoplastic/{name}-v0", f"evoplastic/TwoStimulus-{name}-v0"}
        found = sorted(aliases & set(known))
        require(
            name in known or bool(found),
            f"unknown task {name!r}; {nearest(name, [*known, *NAMES, *points, *_metas()])}; "
            "a task of your own is given as my_task.py:MyTask",
        )
        name = name if name in known else found[0]
    return EnvSource(name, settings or {}, dt_ms)


def _metas() -> list[str]:
    return [f"{PREFIX}{name}" for name in META_TASKS]


def refuse_collisions(points: Mapping[str, EntryPoint], ids: Sequence[str]) -> None:
    """Raise if a user could mean two tasks by the name of an entry point.

    Raises:
        UsageError: an entry point is called like a registered id or a two-stimulus task.
    """
    taken = {alias for name in ids for alias in (name, name.removesuffix("-v0"))} | set(NAMES)
    for name, point in points.items():
        require(
            name not in taken,
            f"entry point {name!r} ({origin(point)}) has the name of a registered task; its "
            "package has to choose another one",
        )


@contextmanager
def isolated(seed: int, stream: int) -> Iterator[None]:
    """Keep an environment's dealings with the process inside of the block.

    Generators made without a seed get one, global generators are seeded and put back, and
    Gymnasium's notices about its own successor are not shown.
    """
    words = np.random.SeedSequence([seed, stream]).generate_state(4)
    root = np.random.Generator(np.random.PCG64(words))
    numpy_state, python_state = np.random.get_state(), random.getstate()
    plain_state, plain_rng = np.random.RandomState, np.random.default_rng

    class SeededState(plain_state):  # type: ignore[misc, valid-type]
        def __init__(self, seed: Any = None) -> None:
            super().__init__(int(root.integers(1 << 32)) if seed is None else seed)

    def seeded_rng(seed: Any = None) -> np.random.Generator:
        return plain_rng(int(root.integers(1 << 32)) if seed is None else seed)

    np.random.seed(int(root.integers(1 << 32)))
    random.seed(int(root.integers(1 << 32)))
    np.random.RandomState, np.random.default_rng = SeededState, seeded_rng  # type: ignore[misc]
    try:
        with quietly():
            yield
    finally:
        np.random.RandomState, np.random.default_rng = plain_state, plain_rng  # type: ignore[misc]
        np.random.set_state(numpy_state)
        random.setstate(python_state)


@contextmanager
def quietly() -> Iterator[None]:
    """Show none of Gymnasium's notices about its own successor."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", NOTICES, UserWarning)
        yield


def refuse_raising(name: str, where: str, error: BaseException) -> Any:
    """The refusal of an environment that raises, with the line of the task that did."""
    return refuse("raises", name, f"{where} raised {last_line(error)}{place_of(error)}")


def place_of(error: BaseException) -> str:
    """The line of the task, else of whatever it called, that raised: " (my_task.py:12)"."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if "site-packages" not in Path(frame.filename).parts]
    own = [frame for frame in theirs if not is_own(Path(frame.filename))]
    frame = next(iter([*own[-1:], *frames[-1:]]), None)
    return f" ({Path(frame.filename).name}:{frame.lineno})" if frame else ""


def last_line(error: BaseException) -> str:
    """What was raised, in a line."""
    return traceback.format_exception_only(error)[-1].strip()
