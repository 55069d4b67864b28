"""Folders of users that hold modules called like ours: in whole processes, and on Ray workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evoplastic
from tests.tasks.neurogym.sources.projects import task, write

ROOT = Path(evoplastic.__file__).parents[1]
TRAP = "raise RuntimeError('a module of the user was taken for ours')"
TRAPS = {"tasks.py": TRAP, "cluster.py": TRAP, "analysis/__init__.py": TRAP}
NAMED = ("-m", "evoplastic")
AS_SCRIPT = ("-c", "import sys; sys.path.pop(0); from evoplastic.__main__ import run; run()")


def run(
    folder: Path, how: tuple[str, ...], *words: str, path: str = ""
) -> subprocess.CompletedProcess[str]:
    """The command line in a folder, as a process; `path` comes first in PYTHONPATH."""
    places = os.pathsep.join(filter(None, [path, str(ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": places, "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        [sys.executable, *how, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    ("how", "path"),
    [(NAMED, ""), (NAMED, "."), (AS_SCRIPT, ".")],
    ids=["python -m", "python -m with PYTHONPATH=.", "evoplastic with PYTHONPATH=."],
)
def test_ours_are_never_taken_from_the_current_folder(
    tmp_path: Path, how: tuple[str, ...], path: str
) -> None:
    write(tmp_path, TRAPS)
    listed = run(tmp_path, how, "tasks", "list", "--suite", "miconi2023", path=path)
    assert listed.returncode == 0, listed.stderr
    assert "dms" in listed.stdout
    looked_up = "import evoplastic, tasks, cluster, analysis; print(analysis.__file__)"
    found = run(tmp_path, ("-c", looked_up), path=path)
    assert found.stdout.strip() == str(ROOT / "analysis" / "__init__.py"), found.stderr


def test_a_task_in_a_file_called_tasks_is_checked(tmp_path: Path) -> None:
    write(tmp_path, {"tasks.py": task("from cluster import w"), "cluster.py": "w = 5"})
    checked = run(tmp_path, NAMED, "tasks", "check", "tasks.py:MyTask", "--json", path=".")
    assert checked.returncode == 0, checked.stderr
    assert '"path": "bank"' in checked.stdout


STEPPED = task(
    "from pathlib import Path\nfrom cluster.sizes import height\n"
    "low = float((Path(__file__).parent / 'low.txt').read_text())",
    late="from tasks.late import share; w = low + height * share",
).replace("return self.ob_now, reward,", "return self.ob_now, reward * self.rng.rand(),")
RUN = """
name: mine
suite: suite.yaml
engine: reference
rule: {first_trial: 1}
num_neurons: 24
lifetime:
  num_trials: 4
  scored_trials: 2
  perturbation: {first_step: 0, quiet_trials: 1}
search: {popsize: 4}
curriculum: uniform
evolution: {generations: 2}
evaluation: {held_out_lifetimes: 1, train_lifetimes: 0, controls: false}
tracking: {enabled: false}
banks: {trials: 8, evaluation_trials: 8}
pairs_per_shard: 1
"""
SUITE = """
name: mine
pacing: self_paced
train: ["tasks/mine.py:MyTask"]
held_out: [GoNogo]
"""


@pytest.mark.cluster
def test_workers_run_the_users_project_beside_ours(tmp_path: Path) -> None:
    """A task that must be stepped, with a package, a late import and data, under names of ours."""
    write(
        tmp_path,
        {
            "tasks/mine.py": STEPPED,
            "tasks/late.py": "share = 0.5",
            "tasks/low.txt": "0.25",
            "cluster/__init__.py": "if __name__ == 'cluster': " + TRAP,
            "cluster/sizes.py": "height = 0.5",
            "analysis.py": TRAP,
            "run.yaml": RUN,
            "suite.yaml": SUITE,
        },
    )
    centers = []
    for workers in ("0", "2"):
        words = ("evolve", "run.yaml", "--workers", workers, "--run-dir", f"run{workers}")
        done = run(tmp_path, NAMED, *words, "--no-analysis", path=".")
        assert done.returncode == 0, done.stderr
        shown = run(tmp_path, NAMED, "genome", "show", f"run{workers}", "--json")
        centers += re.findall(r'"digest": "(\w+)"', shown.stdout)[:1]
    assert len(centers) == 2, shown.stderr
    assert centers[0] == centers[1]
