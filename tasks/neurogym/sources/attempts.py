"""All that keeps a task from being used, at once: what its file says, and what trying it shows."""

from __future__ import annotations

import ast
from pathlib import Path

from evoplastic.checks import UsageError
from tasks.neurogym.environments import CONSTRUCTION, EnvSource, isolated, last_line, place_of
from tasks.neurogym.faults.raised import CODE_FAULTS
from tasks.neurogym.refusals import Refusal, refuse
from tasks.neurogym.sources.old_code import Place, old_places
from tasks.neurogym.sources.user_file import split_file

FIVE = "ob, reward, terminated, truncated, info"


def places_in(source: str) -> list[Place]:
    """Places of earlier versions in a task's file, and in the files beside it that it imports.

    Nothing is run. A registered id and an entry point have none.
    """
    in_file = split_file(source)
    if in_file is None:
        return []
    found, todo, seen = [], [in_file[0]], set[Path]()
    while todo:
        path = todo.pop(0)
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = path.read_bytes()
        found += old_places(path, text)
        todo += _beside(path, text)
    return found


def listed(places: list[Place]) -> str:
    """Places as lines of a message; "" for none."""
    if not places:
        return ""
    number = "one line is" if len(places) == 1 else f"{len(places)} lines are"
    lines = "".join(f"\n  {place}" for place in places)
    return f"\n{number} of earlier versions of NeuroGym, Gym or NumPy:{lines}"


def attempts(source: EnvSource) -> list[Refusal]:
    """What keeps a task from being used, as far as each can be tried without the others.

    Its constructor, its spaces, a trial and a step of it.
    """
    if source.machine is not None:
        return []
    with isolated(0, CONSTRUCTION):
        try:
            env = source.construct()
        except UsageError:
            raise
        except CODE_FAULTS as error:
            return [refuse("cannot be made", source.name, f"{last_line(error)}{place_of(error)}")]
        if not hasattr(env, "step"):
            return []  # no environment, as was said
        found = source.space_faults(env)
        for what, attempt in (
            ("new_trial()", lambda: env.new_trial()),
            ("step(0)", lambda: env.step(0)),
        ):
            try:
                attempt()
            except CODE_FAULTS as error:
                said = f"{what} raised {last_line(error)}{place_of(error)}"
                if "values to unpack" in said and what == "step(0)":
                    said = f"_step returns another number of values than five: {FIVE}"
                found.append(refuse("raises", source.name, said))
                break
    return found


def _beside(path: Path, text: bytes) -> list[Path]:
    """Files in the same folder that a file imports."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [node.module] if node.module else [alias.name for alias in node.names]
    return [path.parent / f"{name.rpartition('.')[2]}.py" for name in names]
