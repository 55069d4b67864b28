"""Code of earlier versions is named, all of it at once, and today's is left in peace."""

from __future__ import annotations

from pathlib import Path

import neurogym
import pytest

from tasks.neurogym.sources.attempts import places_in
from tasks.neurogym.sources.old_code import old_places
from tests.tasks.neurogym.sources.projects import PROJECTS, task, write

NATIVE = Path(neurogym.__file__).parent / "envs" / "native"


@pytest.mark.parametrize(
    ("line", "what", "instead"),
    [
        ("import gym", "import gym", "import gymnasium as gym"),
        ("import gym as g", "import gym", "import gymnasium as g"),
        ("from gym import spaces", "from gym import spaces", "from gymnasium import spaces"),
        ("from neurogym import TrialEnv", "import TrialEnv", "from neurogym.core import TrialEnv"),
        ("import neurogym as ngym\nngym.TrialEnv", "ngym.TrialEnv", "from neurogym.core import"),
        ("import neurogym\nneurogym.PeriodEnv", "neurogym.PeriodEnv", "from neurogym.core import"),
        (
            "import neurogym as ngym\nx = ngym.random.TruncExp(600, 300, 3000)",
            "ngym.random.TruncExp",
            "from neurogym.utils.ngym_random import TruncExp",
        ),
        ("from neurogym.utils.random import TruncExp", "TruncExp", "ngym_random import TruncExp"),
        ("import neurogym as ngym\nngym.nothing", "ngym.nothing", "has no such name"),
        ("import numpy as np\nx = np.float(1)", "np.float", "write float"),
        ("def f(self):\n    self.add_epoch('a')", "self.add_epoch", "self.add_period"),
        (
            "class A(B):\n    def _step(self, action):\n        return ob, r, done, {'a': 1}",
            "_step returns four values",
            "return ob, r, done, False, {'a': 1}",
        ),
        ("ob, r, done, info = env.step(0)", "step is expected to return four", "five"),
        ("class A(TrialEnv):\n    def new_trial(self): ...", "defines new_trial", "_new_trial"),
        ("self.observation_space = spaces.Discrete(4)", "Discrete", "Box(0, 1, shape=(4,))"),
        ("x = self.ob[self.t / self.dt]", "self.t / self.dt is a float", "int(self.t / self.dt)"),
        ("x = ob[3:100 / dt + 1]", "100 / dt + 1 is a float", "int(100 / dt + 1)"),
        ("x = np.zeros((self.tmax / dt, 3))", "self.tmax / dt is a float", "int(self.tmax / dt)"),
        ("n = 500 / self.dt\nfor i in range(n): ...", "n is a float", "int(n)"),
    ],
)
def test_a_line_of_an_earlier_version_is_named(line: str, what: str, instead: str) -> None:
    found = old_places(Path("mine.py"), line.encode())
    assert len(found) == 1, found
    assert found[0].file == "mine.py"
    assert what in found[0].what
    assert instead in found[0].instead
    assert found[0].line >= line.count("\n")


@pytest.mark.parametrize(
    "line",
    [
        "import gymnasium as gym\nfrom gymnasium import spaces",
        "from neurogym.core import TrialEnv\nfrom neurogym.utils.ngym_random import TruncExp",
        "import neurogym as ngym\nngym.spaces.Box(0, 1, shape=(3,)); ngym.core.TrialEnv; ngym.make",
        "from neurogym import spaces\nspaces.Box; spaces.Discrete(3)",
        "self.action_space = spaces.Discrete(3)",
        "x = ob[int(self.t / self.dt)]; y = ob[self.t // 20]; z = np.zeros(len(a) / 2)",
        "rate = 1 / self.dt\nx = np.sqrt(rate) * 2",
        "class A(TrialEnv):\n    def _new_trial(self): ...\n    def new_trial(self): ...",
        "def f():\n    return 1, 2, 3, 4",
        "(",
    ],
)
def test_code_of_today_is_left_in_peace(line: str) -> None:
    assert old_places(Path("mine.py"), line.encode()) == []


def test_nothing_is_said_of_neurogyms_own_tasks_and_of_projects() -> None:
    files = sorted(NATIVE.glob("*.py"))
    assert len(files) > 20
    texts = [path.read_bytes() for path in files]
    texts += [text.encode() for _, project in PROJECTS.values() for text in project.values()]
    assert [old_places(Path("x.py"), text) for text in texts] == [[]] * len(texts)


def test_files_beside_a_task_are_read_too(tmp_path: Path) -> None:
    write(tmp_path, {"mine.py": task("from helper import w"), "helper.py": "import gym\nw = 5"})
    assert [each.file for each in places_in(f"{tmp_path}/mine.py:MyTask")] == ["helper.py"]
    assert places_in("GoNogo") == []
