from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evoplastic.genome.genome import Genome
from tests.cli.conftest import Command

TINY = ("smoke", "evolution.generations=2", "tracking.enabled=false")


def test_a_run_ends_with_table_and_figures_and_names_its_directory(
    command: Command, tmp_path: Path
) -> None:
    answer = command("evolve", *TINY)
    run_dir = tmp_path / "runs" / "smoke-seed1-001"
    assert answer.code == 0, answer.err
    assert (run_dir / "STATUS").read_text() == "done\n"
    assert "dms (held out)" in answer.out
    assert f"digest {Genome.load(run_dir / 'genomes' / 'center.safetensors').digest[:16]}" in (
        answer.out
    )
    drawn = [line.removeprefix("wrote ") for line in answer.out.splitlines() if "figures" in line]
    assert len([name for name in drawn if name.endswith(".png")]) == 2
    assert all((tmp_path / name).stat().st_size > 0 for name in drawn)
    again = command("analyze", run_dir, "--json").json
    assert {row["task"] for row in again["final_table"]} >= {"dms", "dnms", "and"}


def test_json_is_one_object_per_line_and_ends_with_the_outcome(command: Command) -> None:
    words = ("evolve", *TINY, "--json", "--no-analysis", "--run-dir", "here", "--seed", 5)
    lines = [json.loads(line) for line in command(*words).out.splitlines()]
    assert [line["generation"] for line in lines if line["event"] == "generation"] == [1, 2]
    assert lines[-1]["event"] == "outcome"
    assert lines[-1]["status"] == "done"
    assert lines[-1]["center_digest"] == Genome.load(Path("here/genomes/center.safetensors")).digest
    again = json.loads(command("resume", "here", "--json", "--no-analysis").out.splitlines()[-1])
    assert again["already_finished"]
    assert again["center_digest"] == lines[-1]["center_digest"]


def test_a_longer_run_is_a_resumed_one(command: Command) -> None:
    for name, words in (("short", ()), ("long", ("evolution.generations=3",))):
        run = ("evolve", *TINY, *words, "--run-dir", name, "--no-analysis")
        assert command(*run).code == 0
    assert command("resume", "short", "evolution.generations=3", "--no-analysis").code == 0
    short, long = (Path(name, "genomes/center.safetensors") for name in ("short", "long"))
    assert Genome.load(short).digest == Genome.load(long).digest


def test_settings_may_follow_options(command: Command) -> None:
    shown = command("evolve", "smoke", "--seed", 3, "--dry-run", "name=late", "--json").json
    assert (shown["config"]["seed"], shown["config"]["name"]) == (3, "late")


def test_dry_run_says_what_it_costs_and_leaves_nothing(command: Command, tmp_path: Path) -> None:
    facts = command("evolve", "laptop", "--dry-run", "--json").json
    assert facts["estimate"]["genome"]["length"] == 2 * 70 * 70
    assert 0 < facts["seconds"]["generation"] < facts["seconds"]["run"]
    text = command("evolve", "laptop", "--dry-run").out
    assert "popsize:" in text
    assert "s per generation" in text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("smok",), "did you mean 'smoke'?"),
        (("smoke", "search.popsise=4"), "popsize"),
        (("smoke", "search.popsize=5"), "5"),
        (("smoke", "num_neurons=6"), "num_neurons is 6"),
        (("smoke", "suite=miconi"), "did you mean 'miconi2023'?"),
        (("smoke", "engine=fast"), "engine"),
        (("smoke", "--address", "127.0.0.1:9"), "127.0.0.1:9"),
        (("smoke", "--run-dir", "full"), "full"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(
    command: Command, tmp_path: Path, words: tuple[str, ...], hint: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("not a run")
    answer = command("evolve", *words, "tracking.enabled=false")
    assert answer.code == 2
    assert hint in answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_write_permission_is_exit_code_2(command: Command, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        answer = command("evolve", *TINY)
    finally:
        tmp_path.chmod(0o700)
    assert answer.code == 2
    assert "--run-dir" in answer.err


def test_a_file_where_runs_belong_is_exit_code_2(command: Command, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    answer = command("evolve", *TINY)
    assert answer.code == 2
    assert "--run-dir" in answer.err


@pytest.mark.parametrize(
    ("asked", "code", "status"),
    [
        (signal.SIGTERM, 75, "preempted"),
        pytest.param(signal.SIGINT, 130, "interrupted", marks=pytest.mark.exhaustive),
    ],
)
def test_a_run_that_is_told_to_stop_says_how_to_go_on(
    tmp_path: Path, asked: signal.Signals, code: int, status: str
) -> None:
    cheap = ("evaluation.controls=false", "evaluation.train_lifetimes=0", "engine=reference")
    endless = ("evolution.generations=100000", "tracking.enabled=false", *cheap)
    words = ("evolve", "smoke", *endless, "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "evoplastic", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "generation":
                break
        process.send_signal(asked)
        out, err = process.communicate(timeout=90)
    finally:
        process.kill()
    assert process.returncode == code, err
    outcome = json.loads(out.splitlines()[-1])
    assert outcome["status"] == status
    assert f"evoplastic resume {outcome['run_dir']}" in err


def test_a_run_is_forked_with_its_own_settings_and_those_given(
    command: Command, tmp_path: Path
) -> None:
    quick = ("engine=reference", "evaluation.controls=false", "evaluation.train_lifetimes=0")
    command("evolve", *TINY, *quick, "--seed", 7, "--run-dir", "runs/a", "--no-analysis")
    shown = command("genome", "show", "a@2", "--json").json
    fork = ("fork", "a@2", "search.sigma=0.02", "--no-analysis")
    planned = command(*fork, "--dry-run", "--json").json
    assert planned["config"]["search"]["sigma"] == 0.02
    assert planned["estimate"]["first_genome"]["digest"] == shown["digest"]
    assert not (tmp_path / "runs" / "smoke-seed7-001").exists()
    refused = command(*fork, "num_neurons=18")
    assert refused.code == 2
    assert "the genome lacks 2 hidden neurons. With --adapt" in refused.err
    assert command(*fork, "--run-dir", "runs/b").code == 0
    told = command("genome", "show", "b@initial", "--json").json
    assert told["digest"] == shown["digest"]
    assert told["parents"] == [
        {
            "digest": shown["digest"],
            "run_id": shown["provenance"]["run_id"],
            "generation": 2,
        }
    ]
    adapted = command(*fork, "num_neurons=18", "--adapt", "--dry-run")
    assert "warning: 2 hidden neurons begin as in a run of its own" in adapted.out
    again = command(*fork, "--run-dir", "runs/b", "--continue", "--json")
    assert json.loads(again.out.splitlines()[-1])["event"] == "outcome"
    lone = command("evolve", *TINY, "--adapt")
    assert "--adapt says something of a genome to begin with" in lone.err
