"""Projects of users around a task, as files; each holds a task `MyTask` that shows `w`."""

from __future__ import annotations

from pathlib import Path

MYTASK = """
from neurogym.core import TrialEnv
from neurogym.utils import spaces
{imports}

class MyTask(TrialEnv):
    def __init__(self, dt=20):
        super().__init__(dt=dt)
        self.timing = {{"light": 40, "answer": 40}}
        self.observation_space = spaces.Box(0, 9, shape=(2,))
        self.action_space = spaces.Discrete(3)

    def _new_trial(self, **settings):
        side = int(self.rng.randint(2))
        {late}
        self.add_period(list(self.timing))
        self.add_ob(w, "light", where=side)
        self.set_groundtruth(1 + side, "answer")
        return {{"side": side}}

    def _step(self, action):
        answered = self.in_period("answer") and action != 0
        reward = float(answered and action == self.gt_now)
        return self.ob_now, reward, False, False, {{"new_trial": answered}}
"""


def task(imports: str = "", late: str = "") -> str:
    """The text of a task that imports `w`, at once or in each trial."""
    return MYTASK.format(imports=imports, late=late)


# file to name -> files of the project; w is 5 in each
PROJECTS: dict[str, tuple[str, dict[str, str]]] = {
    "beside": (
        "mine.py",
        {"mine.py": task("from helper import w"), "helper.py": "w = 5"},
    ),
    "within a package": (
        "mypkg/mine.py",
        {
            "mypkg/__init__.py": "half = 2.5",
            "mypkg/mine.py": task("from .helper import w"),
            "mypkg/helper.py": "from mypkg import half\nw = 2 * half",
        },
    ),
    "up in a package": (
        "mypkg/sub/mine.py",
        {
            "mypkg/__init__.py": "",
            "mypkg/sub/__init__.py": "",
            "mypkg/sub/mine.py": task("from ..helper import w"),
            "mypkg/helper.py": "w = 5",
        },
    ),
    "relative without a package": (
        "mine.py",
        {"mine.py": task("from .helper import w"), "helper.py": "w = 5"},
    ),
    **{
        f"a package called {name}": (
            f"{name}/mine.py",
            {
                f"{name}/__init__.py": "",
                f"{name}/mine.py": task(f"from {name}.trial import w"),
                f"{name}/trial.py": f"import {name}.half\nw = 2 * {name}.half.x",
                f"{name}/half.py": "x = 2.5",
            },
        )
        for name in ("tasks", "analysis", "cluster", "evoplastic")
    },
    "a folder called tasks": (
        "tasks/mine.py",
        {"tasks/mine.py": task("from tasks.trial import w"), "tasks/trial.py": "w = 5"},
    ),
    "a file called tasks": (
        "tasks.py",
        {"tasks.py": task("import cluster\nw = cluster.w"), "cluster.py": "w = 5"},
    ),
    "ours beside theirs": (
        "tasks/mine.py",
        {
            "tasks/__init__.py": "",
            "tasks/mine.py": task(
                "from tasks.trial import w\nfrom tasks import trial\n"
                "from tasks.machines.state_machine import StateMachine\n"
                "from tasks import machines\n"
                "assert w == trial.w and machines.state_machine.StateMachine is StateMachine"
            ),
            "tasks/trial.py": "w = 5",
        },
    ),
    "late": (
        "tasks/mine.py",
        {
            "tasks/mine.py": task(late="from tasks.trial import w"),
            "tasks/trial.py": "w = 5",
        },
    ),
    "data": (
        "mine.py",
        {
            "mine.py": task(
                "from pathlib import Path\nw = float((Path(__file__).parent / 'w.txt').read_text())"
            ),
            "w.txt": "5",
        },
    ),
    "names of the standard library": (
        "random.py",
        {"random.py": task("import random\nw = 5 if random.Random else 0")},
    ),
    "from the project's folder": (
        "experiments/first/mine.py",
        {
            "pyproject.toml": "",
            "experiments/first/mine.py": task("from library.helper import w"),
            "library/helper.py": "w = 5",
        },
    ),
}


def write(folder: Path, files: dict[str, str]) -> None:
    """Make the files of a project."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
