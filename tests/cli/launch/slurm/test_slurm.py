"""What Slurm stops goes on, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.launch.slurm.machine import Slurm

pytestmark = pytest.mark.slurm

ROOT = Path(__file__).parents[4]
LONG_S = 100  # longer than Slurm takes to look at a time limit again
FEW = 300  # where nobody waits for Slurm
SMOKE = "c0f68b1c9bb34738"  # of the recipe as it stands, seed 1
BATCH = ("--time", "30", "--cpus", "2", "--setup", f"export PYTHONPATH={ROOT} OMP_NUM_THREADS=1")


def settings(generations: int) -> tuple[str, ...]:
    """A recipe and settings of a run of many short generations."""
    return (
        *("smoke", f"evolution.generations={generations}", "evaluation.every=200"),
        *("threads=1", "tracking.enabled=false"),
    )


def evoplastic(*words: object, cwd: Path) -> str:
    """What a command of ours prints."""
    told = subprocess.run(
        [sys.executable, "-m", "evoplastic", *map(str, words)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def digest_in(text: str) -> str:
    """Of the center, from the last line that names it."""
    return re.findall(r"digest ([0-9a-f]{16})", text)[-1]


def generations_in(run_dir: Path) -> list[int]:
    """The times in ms at which a run was done with each of its generations."""
    journal = run_dir / "journal.ndjson"
    text = journal.read_text() if journal.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()  # the last line may be in the making
    events = [json.loads(line) for line in whole]
    return [event["time_ms"] for event in events if event["event"] == "generation"]


def generations_of(run_dir: Path) -> int:
    """How far a run is."""
    return len(generations_in(run_dir))


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """A Slurm of two nodes with two CPUs each."""
    if [name for _, name in socket.if_nameindex()] != ["lo"]:
        pytest.skip("Slurm's daemons listen everywhere; `make test-slurm` shuts them in")
    with Slurm(tmp_path_factory.mktemp("slurm")) as machine:
        yield machine


class Undisturbed(NamedTuple):
    """The run that nothing stops."""

    few: str  # digest after FEW generations
    generations: int  # of one that takes LONG_S here
    long: str  # its digest


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The run that nothing stops, short, and as long as this machine takes LONG_S for."""
    folder = tmp_path_factory.mktemp("undisturbed")
    few = evoplastic("evolve", *settings(FEW), "--run-dir", "run", "--no-analysis", cwd=folder)
    done_ms = generations_in(folder / "run")
    each_s = (done_ms[-1] - done_ms[0]) / 1000 / (len(done_ms) - 1)
    generations = round(LONG_S / each_s)
    longer = ("resume", "run", f"evolution.generations={generations}", "--no-analysis")
    return Undisturbed(digest_in(few), generations, digest_in(evoplastic(*longer, cwd=folder)))


def launch(slurm: Slurm, name: str, *words: object) -> Path:
    """A folder with a batch file that `launch` wrote."""
    folder = slurm.folder / name
    folder.mkdir()
    evoplastic("launch", *words[:2], *BATCH, *words[2:], "--out", "run.sbatch", cwd=folder)
    return folder


def test_a_preempted_run_goes_on(slurm: Slurm, undisturbed: Undisturbed) -> None:
    folder = launch(
        slurm, "preempted", "slurm", *settings(undisturbed.generations), "--run-dir", "run"
    )
    job = slurm.submit(folder / "run.sbatch")
    slurm.wait_for(lambda: generations_of(folder / "run") >= 20, 300)
    everywhere = ("--nodes=2", "--ntasks-per-node=1", "--cpus-per-task=2")
    slurm.ask("sbatch", "--partition=high", *everywhere, "--wrap=sleep 1", cwd=folder)
    slurm.wait_for(lambda: slurm.field(job, "Restarts") == "1", 200)
    assert 20 <= generations_of(folder / "run") < undisturbed.generations
    assert slurm.wait_until_over(job, 600) == "COMPLETED"
    log = (folder / f"smoke-seed1-{job}.log").read_text()
    assert "stopped from outside; back into the queue" in log
    assert digest_in(log) == undisturbed.long


def test_a_run_at_its_time_limit_goes_on(slurm: Slurm, undisturbed: Undisturbed) -> None:
    words = ("--run-dir", "run", "--time", "10", "--grace", "55")
    folder = launch(slurm, "limit", "slurm", *settings(undisturbed.generations), *words)
    job = slurm.submit(folder / "run.sbatch")
    slurm.wait_for(lambda: generations_of(folder / "run") >= 20, 300)
    slurm.ask("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    slurm.wait_for(lambda: slurm.field(job, "Restarts") == "1", 200)
    assert 20 <= generations_of(folder / "run") < undisturbed.generations
    slurm.ask("scontrol", "update", f"JobId={job}", "TimeLimit=10")
    assert slurm.wait_until_over(job, 600) == "COMPLETED"
    assert digest_in((folder / f"smoke-seed1-{job}.log").read_text()) == undisturbed.long


def test_two_nodes_make_one_run_and_a_requeued_one(slurm: Slurm, undisturbed: Undisturbed) -> None:
    words = ("--run-dir", "run", "--nodes", "2", "--workers", "4-4")  # on both nodes
    folder = launch(slurm, "nodes", "slurm", *settings(FEW), *words)
    job = slurm.submit(folder / "run.sbatch")
    slurm.wait_for(lambda: generations_of(folder / "run") in range(3, FEW), 300)
    slurm.ask("scancel", "--batch", "--signal=TERM", job)
    slurm.wait_for(lambda: slurm.field(job, "Restarts") == "1", 200)
    assert slurm.wait_until_over(job, 600) == "COMPLETED"
    assert digest_in((folder / f"smoke-seed1-{job}.log").read_text()) == undisturbed.few
    started = (folder / f"smoke-seed1-{job}.ray.log").read_text()
    assert started.count("Ray runtime started") >= 3, started  # two nodes, and again
    assert not list(Path("/tmp").glob(f"ray-{job}*"))


def test_an_array_does_a_sweep(slurm: Slurm) -> None:
    words = ("seed=1,2", "threads=1", "tracking.enabled=false", "--run-dir", "all")
    folder = launch(slurm, "array", "slurm-array", "smoke", *words)
    job = slurm.submit(folder / "run.sbatch")
    assert [slurm.wait_until_over(f"{job}_{index}", 600) for index in (1, 2)] == ["COMPLETED"] * 2
    digests = []
    for seed in (1, 2):
        center = Path("all", f"seed{seed}", "genomes", "center.safetensors")
        shown = json.loads(evoplastic("genome", "show", center, "--json", cwd=folder))
        digests.append(shown["digest"][:16])
    assert digests[0] == SMOKE
    assert digests[1] != SMOKE


def test_a_wrong_setting_is_not_tried_again(slurm: Slurm) -> None:
    folder = launch(slurm, "wrong", "slurm", *settings(FEW), "--run-dir", "run")
    (folder / "run").mkdir()
    (folder / "run" / "notes.txt").write_text("not a run")
    job = slurm.submit(folder / "run.sbatch")
    assert slurm.wait_until_over(job, 300) == "FAILED"
    assert slurm.field(job, "ExitCode") == "2:0"
    assert slurm.field(job, "Restarts") == "0"


def test_a_command_is_run_again_when_all_is_done(slurm: Slurm) -> None:
    folder = slurm.folder / "preempted"
    job = slurm.submit(folder / "run.sbatch")
    assert slurm.wait_until_over(job, 300) == "COMPLETED"
