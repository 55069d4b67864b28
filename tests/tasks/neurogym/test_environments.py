"""Where tasks come from, and that no two of their generators draw alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evoplastic.checks import UsageError
from tasks.neurogym.environments import EnvSource, find_source, load_task
from tasks.neurogym.object_graph import changed_path, generators, state_of
from tests.tasks.small_envs import Echo

MINE = """
from tests.tasks.small_envs import Echo

class MyTask(Echo):
    pass
"""


def test_ids_are_found_with_and_without_their_version() -> None:
    assert find_source("yang19.go").name == "yang19.go-v0"
    assert find_source("yang19.go-v0").name == "yang19.go-v0"
    assert find_source("dms").name == "evoplastic/TwoStimulus-dms-v0"


def test_a_file_is_loaded_under_a_private_name(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "random.py").write_text(MINE)
    one, two = (load_task(tmp_path / folder / "random.py", "MyTask") for folder in ("one", "two"))
    assert one is not two
    assert one.__module__ != two.__module__
    assert one.__module__.startswith("_evoplastic_task_")
    assert isinstance(find_source(f"{tmp_path}/one/random.py:MyTask").make(1), Echo)


@pytest.mark.parametrize(
    ("content", "word", "message"),
    [
        (MINE, "mine.py:MyTsak", "did you mean 'MyTask'"),
        (MINE, "nowhere.py:MyTask", "there is no file"),
        ("x = 1", "mine.py:MyTask", "no class derived from neurogym's TrialEnv"),
        ("x =", "mine.py:MyTask", r"cannot be imported: SyntaxError.*\(mine\.py:1\)"),
        ("import nosuchthing", "mine.py:MyTask", "ModuleNotFoundError"),
        (MINE, "yang19.goo", r"did you mean 'yang19\.go-v0'"),
    ],
)
def test_what_cannot_be_found_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, word: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(content)
    with pytest.raises(UsageError, match=message):
        find_source(word)


@pytest.mark.parametrize("name", ["yang19.dms-v0", "HierarchicalReasoning-v0"])
def test_each_generator_gets_a_seed_of_its_own(name: str) -> None:
    """NeuroGym's own seed() gives all parts of an environment one seed, so that draws are equal."""
    env, again = (EnvSource(name).make(3) for _ in range(2))
    drawn = [[generator.random() for generator in generators(each)] for each in (env, again)]
    assert len(drawn[0]) >= 3
    assert len(set(drawn[0])) == len(drawn[0])
    assert drawn[0] == drawn[1]


def test_trials_begin_at_their_first_step() -> None:
    env = EnvSource("yang19.go-v0").make(0)
    assert [(each.unwrapped.t, each.unwrapped.t_ind) for each in env.envs] == [(0, 0)] * 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda env: env.timing.update(wait=40), "Echo.timing['wait']"),
        (lambda env: env.rng.random(), "Echo.rng<generator>"),
        (lambda env: setattr(env, "new", 1), "Echo.new"),
        (lambda env: env.rewards.pop("fail"), "Echo.rewards<length>"),
        (lambda env: env.seen.append(1), "Echo.seen<length>"),
        (lambda env: env.table.__setitem__((0, 0), 5.0), "Echo.table"),
    ],
)
def test_changes_are_found_wherever_they_are(change: object, path: str) -> None:
    env = EnvSource(Echo).make(0)
    env.seen, env.table = [], np.zeros((2, 2))
    before = state_of(env)
    assert changed_path(before, state_of(env)) is None
    assert callable(change)
    change(env)
    assert changed_path(before, state_of(env)) == path
