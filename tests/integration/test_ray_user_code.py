"""Code of users, and what it reads, on nodes that have none of its files, in folders full of traps.

Every node but the head, which lends nothing, finds the folder of the project empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lan import ROOT, Lan, digest_of, lan
from tests.integration.test_users_names import RUN, STEPPED, SUITE, TRAP
from tests.tasks.neurogym.sources.projects import write

pytestmark = pytest.mark.cluster

TRAPS = {
    "tasks.py": TRAP,
    "cluster.py": TRAP,
    "analysis/__init__.py": TRAP,
    "evoplastic/__init__.py": TRAP,
}
RULE = """
from evoplastic.rules.table import Rule, RuleConstants, Term
from terms import DECAY

RULE = Rule(
    name="forgetful_hebb",
    title="Hebb, and forgetting",
    source="my own",
    change=(Term(post="rate", pre="rate"), Term(coefficients=("decay",), sign=-1, p=True)),
    clips_change=False,
    coefficients={"decay": DECAY},
    defaults=RuleConstants(eta=0.01),
)
"""
PROJECT = {
    "tasks/mine.py": STEPPED,
    "tasks/other.py": STEPPED.replace("from cluster.sizes", "import mine\nfrom cluster.sizes"),
    "tasks/late.py": "share = 0.5",
    "tasks/low.txt": "0.25",
    "cluster/__init__.py": "if __name__ == 'cluster': " + TRAP,
    "cluster/sizes.py": "height = 0.5",
    "analysis.py": TRAP,
    "evoplastic.py": TRAP,
    "my_rule.py": RULE,
    "terms.py": "DECAY = 0.5",
    "run.yaml": RUN,
    "suite.yaml": SUITE.replace(
        '"tasks/mine.py:MyTask"',
        '"tasks/mine.py:MyTask", {task: "tasks/other.py:MyTask", name: other}',
    ),
}
AS_SCRIPT = ("-c", "import sys; sys.path.pop(0); from evoplastic.__main__ import run; run()")


@pytest.fixture
def net() -> Iterator[Lan]:
    with lan() as net:
        yield net


def test_what_a_run_needs_travels_with_it(net: Lan, tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    write(project, PROJECT)
    write(elsewhere, TRAPS)
    head = net.start_head(tmp_path, cpus=0)
    trapped = {"PYTHONPATH": f".:{ROOT}"}
    net.start_node(head, elsewhere, trapped, cpus=2, hidden=project)
    digests = [
        evolved(net, project, *where) for where in (("0",), ("2", "--address", head.address))
    ]
    assert digests[0] == digests[1]
    assert not list((elsewhere).glob("*.ndjson"))


def evolved(net: Lan, project: Path, workers: str, *address: str) -> str:
    """The digest of the center after a run of the project with so many workers."""
    words = [
        "evolve",
        "run.yaml",
        "rule=my_rule.py:RULE",
        "--workers",
        workers,
        "--run-dir",
        f"run{workers}",
        *address,
    ]
    done = net.python([*AS_SCRIPT, *words, "--no-analysis"], project, timeout_s=600)
    assert done.returncode == 0, done.stderr
    assert "broke down" not in done.stderr
    return digest_of(done.stdout)
