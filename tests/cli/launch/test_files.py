"""Launch files are what their readers take: schemas as published, shells, our own command line."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from evoplastic.cli.parser import parse
from tests.cli.conftest import Answer, Command

ROOT = Path(__file__).parents[3]
SCHEMAS = Path(__file__).parent / "schemas"
VOLUME = ("--volume", "runs")
AWS = ("--region", "us-east-1", "--worker-type", "c6i.4xlarge")
OWN = ("--head-ip", "10.0.0.1", "--worker-ips", "10.0.0.2,10.0.0.3")
ODD = ("seed=3", "rule={name: oja, eta: 0.02}")  # words that need quotes


def printed(answer: Answer) -> str:
    """The file that a command printed."""
    assert answer.code == 0, answer.err
    return answer.out


def strict(schema: Any) -> Any:
    """The schema with unknown keys refused: Kubernetes would drop them without a word."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def errors(document: Any, name: str) -> list[str]:
    """What a published schema has against a document."""
    schema = strict(json.loads((SCHEMAS / name).read_text()))
    validator = jsonschema.Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def assert_is_our_command(words: list[str]) -> None:
    """Our own command line takes it, and it can be run again."""
    assert words[0] == "evoplastic"
    args = parse(words[1:])
    assert args.go_on
    assert args.run_dir is not None


@pytest.mark.parametrize(
    "words",
    [
        ("smoke",),
        ("smoke", *ODD),
        ("smoke", "--gpus", 1, "--nodes", "0-8", "--cpus", 7, "--memory", "30Gi"),
        ("smoke", "--nodes", 4, "--seconds", 3600, "--namespace", "lab", "--secret", "token"),
    ],
)
def test_a_rayjob_is_what_kuberay_takes(command: Command, words: tuple[object, ...]) -> None:
    *config_maps, job = yaml.safe_load_all(printed(command("launch", "kuberay", *words, *VOLUME)))
    assert errors(job, "kuberay-rayjob.json") == []
    spec = job["spec"]
    assert_is_our_command(spec["entrypoint"].split())
    assert "--run-dir /runs/smoke-seed" in spec["entrypoint"]
    assert set(spec["entrypoint"]) & set("'\"{}$ \\") == {" "}  # Ray would quote it otherwise
    cluster = spec["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert cluster["authOptions"]["mode"] == "token"
    limits = cluster["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["resources"]
    assert ("nvidia.com/gpu" in limits["limits"]) == ("--gpus" in words)
    assert len(config_maps) == (1 if ODD[1] in words else 0)


def test_settings_that_need_quotes_travel_written_out(command: Command, tmp_path: Path) -> None:
    config_map, _ = yaml.safe_load_all(
        printed(command("launch", "kuberay", "smoke", *ODD, *VOLUME))
    )
    (tmp_path / "settings.yaml").write_text(config_map["data"]["settings.yaml"])
    there = command("config", "show", "settings.yaml").out
    assert there == command("config", "show", "smoke", *ODD).out


def test_a_wrong_key_and_a_wrong_value_are_found(command: Command) -> None:
    job = yaml.safe_load(printed(command("launch", "kuberay", "smoke", *VOLUME)))
    group = job["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]
    group["maxReplica"] = 3
    group["template"]["spec"]["containers"][0]["image"] = 7
    found = errors(job, "kuberay-rayjob.json")
    assert len(found) == 2
    assert all("workerGroupSpecs[0]" in each for each in found)


@pytest.mark.parametrize(
    "words",
    [
        ("smoke", "--image", "lab/evoplastic:1-cuda"),
        ("smoke", *ODD, "--image", "lab/evoplastic:1", "--nodes", 2, "--memory", 32),
        (
            *("smoke", "--image", "lab/evoplastic:1-cuda", "--infra", "aws/us-east-1"),
            *("--gpus", 8, "--gpu-model", "H100", "--on-demand"),
        ),
    ],
)
def test_a_task_is_what_skypilot_takes(command: Command, words: tuple[object, ...]) -> None:
    task = yaml.safe_load(printed(command("launch", "skypilot", *words, *VOLUME)))
    assert errors(task, "skypilot-task.json") == []
    assert task["resources"]["job_recovery"]["recover_on_exit_codes"] == [75]
    found = re.search(r"^run=\((.*)\)$", task["run"], re.MULTILINE)
    assert found
    assert_is_our_command(shlex.split(found[1]))
    assert_shell_is_clean(f"#!/bin/bash\n{task['setup']}\n{task['run']}")


def test_without_an_image_skypilot_installs_the_project(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = command("launch", "skypilot", "smoke", *VOLUME)
    assert refused.code == 2
    assert "give an image" in refused.err
    monkeypatch.chdir(ROOT)
    task = yaml.safe_load(printed(command("launch", "skypilot", "smoke", *VOLUME)))
    assert task["workdir"] == "."
    assert "pip install -c constraints.txt" in task["setup"]


@pytest.mark.parametrize(
    "words",
    [
        ("smoke", *AWS, "--nodes", "0-8", "--cpus", 16, "--spot"),
        ("smoke", *ODD, *AWS, "--gpus", 1),
        ("smoke", *OWN),
    ],
)
def test_a_cluster_is_what_rays_launcher_takes(command: Command, words: tuple[object, ...]) -> None:
    text = printed(command("launch", "ray-cluster", *words))
    cluster = yaml.safe_load(text)
    assert errors(cluster, "ray-cluster.json") == []
    found = re.search(r"^#   ray exec FILE --tmux (.*)$", text, re.MULTILINE)
    assert found
    [line] = shlex.split(found[1])
    assert_is_our_command(shlex.split(line))


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_dockerfile_copies_what_is_there(command: Command, device: str) -> None:
    text = printed(command("launch", "docker", "smoke", "--device", device))
    copied = re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE)
    assert copied
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []
    assert f"ARG DEVICE={device}\n" in text
    found = re.search(r"^CMD (.*)$", text, re.MULTILINE)
    assert found
    assert_is_our_command(json.loads(found[1]))


@pytest.mark.parametrize(
    "words",
    [
        ("slurm", "smoke"),
        ("slurm", "smoke", "--run-dir", "runs of $USER's/{seed}"),
        ("slurm", "smoke", *ODD, "--nodes", 4, "--cpus", 16, "--gpus", 2, "--gpus-per-worker", 0.5),
        ("slurm-array", "smoke", "seed=1..5", "search.sigma=0.02,0.03", "--at-once", 4),
        (
            *(
                "slurm",
                "smoke",
                "--partition",
                "gpu",
                "--account",
                "lab",
                "--qos",
                "low",
                "--memory",
                "8G",
            ),
            *("--setup", "module load 'python 3'", "--setup", "ulimit -n 65536", "--grace", 60),
        ),
    ],
)
def test_a_batch_file_is_clean_and_runs_our_command(
    command: Command, words: tuple[object, ...]
) -> None:
    text = printed(command("launch", *words))
    found = re.search(r"^run=\((.*)\)$", text, re.MULTILINE)
    assert found
    program, *rest = shlex.split(found[1].replace("$SLURM_ARRAY_TASK_ID", "1"))
    assert program.endswith("evoplastic")
    assert_is_our_command(["evoplastic", *rest])
    for line in re.findall(r"^#SBATCH (.*)$", text, re.MULTILINE):
        assert re.fullmatch(r"--[a-z-]+(=\S+)?", line), line
    assert_shell_is_clean(text)


def assert_shell_is_clean(text: str) -> None:
    """What shellcheck says about it, where there is one."""
    if shutil.which("shellcheck") is None:
        return
    told = subprocess.run(
        ["shellcheck", "-s", "bash", "-"], input=text, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stdout


def test_shellcheck_is_there() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: shells of launch files were not checked")
    told = subprocess.run(["shellcheck", "--version"], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0


@pytest.mark.parametrize(
    ("words", "workers"),
    [
        (("--nodes", 4, "--cpus", 16), "64"),
        (("--nodes", 4, "--cpus", 16, "--cpus-per-worker", 4), "16"),
        (("--nodes", 4, "--cpus", 16, "--gpus", 2), "8"),
        (("--nodes", 4, "--cpus", 16, "--gpus", 2, "--gpus-per-worker", 0.5), "16"),
        (("--nodes", 4, "--cpus", 16, "--gpus", 2, "--gpus-per-worker", 0), "64"),
        (("--cpus", 16, "--gpus", 2), "2"),
        (("--nodes", 4, "--workers", "2-8"), "2-8"),
        (("--cpus", 16), None),  # one process on all cores
        (("--cpus", 16, "--gpus", 1), None),  # and on the one GPU
        (("--cpus", 16, "--workers", 0), "0"),
        (("--cpus", 16, "--cpus-per-worker", 4), "4"),
        (("--cpus", 16, "--gpus", 1, "--gpus-per-worker", 0.5), "2"),
    ],
)
def test_there_is_a_worker_wherever_there_is_room(
    command: Command, words: tuple[object, ...], workers: str | None
) -> None:
    text = printed(command("launch", "slurm", "smoke", *words))
    found = re.search(r"^run=.*--workers ([\w-]+)", text, re.MULTILINE)
    assert (found[1] if found else None) == workers


def test_a_file_is_written_once(command: Command, tmp_path: Path) -> None:
    first = command("launch", "slurm", "smoke", "--out", "run.sbatch")
    assert first.out == "wrote run.sbatch\n"
    text = (tmp_path / "run.sbatch").read_text()
    assert "# Made by: evoplastic launch slurm smoke --out run.sbatch\n" in text
    again = command("launch", "slurm", "smoke", "--out", "run.sbatch")
    assert again.code == 2
    assert "run.sbatch exists" in again.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("slurm", "smok"), "did you mean 'smoke'?"),
        (("slurm", "smoke", "search.popsiz=3"), "popsize"),
        (("slurm", "smoke", "engine=gpu"), "engine=gpu needs a GPU"),
        (("slurm-array", "smoke", "seed=1,2", "engine=cpu,gpu"), "engine=gpu needs a GPU"),
        (("slurm-array", "smoke", "seed=1,1"), "seed has the value 1 twice"),
        (("slurm-array", "smoke"), "a sweep needs values"),
        (("slurm", "smoke", "engine=cpu", "--gpus", 1), "leaves GPUs idle"),
        (
            ("slurm", "smoke", "--gpus", 2, "--gpus-per-worker", 4),
            "--gpus-per-worker is 4, but a node has 2",
        ),
        (("slurm", "smoke", "--workers", "4-2"), "--workers is 4-2"),
        (("slurm", "smoke", "--workers", "many"), "--workers is 'many'"),
        (("slurm", "smoke", "--workers", "9-12", "--nodes", 2), "there is room for 8 on 2 nodes"),
        (("slurm", "smoke", "--workers", "0", "--nodes", 2), "one process on one node"),
        (("slurm", "smoke", "--workers", "0", "--cpus-per-worker", 2), "one process on one node"),
        (("slurm", "smoke", "--workers", "num_gpus"), "and --gpus is 0"),
        (("kuberay", "smoke", "--workers", "0", *VOLUME), "leave the nodes of the cluster idle"),
        (("slurm", "smoke", "--time", "tomorrow"), "--time is 'tomorrow'"),
        (("slurm", "smoke", "--time", "1:30"), "--grace is 120 s"),
        (("slurm", "smoke", "--partition", "a b"), "--partition is 'a b'"),
        (("slurm", "smoke", "--memory", "lots"), "--memory is 'lots'"),
        (("slurm", "smoke", "--setup", "echo 'a"), "no line of a shell"),
        (
            ("kuberay", "smoke", "--gpus", 1, "--image", "lab/evoplastic:1-cpu", *VOLUME),
            "holds the CPU engine alone",
        ),
        (("kuberay", "smoke", "--run-dir", "/tmp/x", *VOLUME), "within /runs"),
        (("kuberay", "smoke", "--run-dir", "/runs/../x", *VOLUME), "within /runs"),
        (("kuberay", "smoke", "--run-dir", "/runs/a b", *VOLUME), "letters, digits and dashes"),
        (("kuberay", "smoke", "--run-dir", "/runs/{sed}", *VOLUME), "did you mean 'seed'?"),
        (("kuberay", "smoke", "--volume", "My Volume"), "--volume is 'My Volume'"),
        (("kuberay", "smoke", "--nodes", "8-2", *VOLUME), "8-2"),
        (("skypilot", "smoke", "--image", "a:1", "--gpus", 1, *VOLUME), "--gpu-model"),
        (("ray-cluster", "smoke"), "--region and --worker-type"),
        (("ray-cluster", "smoke", "--head-ip", "10.0.0.1"), "--head-ip needs --worker-ips"),
        (("ray-cluster", "smoke", "--region", "us-east-1"), "--region needs --worker-type"),
        (("ray-cluster", "smoke", *OWN, "--nodes", 4), "--worker-ips names 2"),
        (("ray-cluster", "smoke", *OWN, "--spot"), "for machines of AWS"),
        (("ray-cluster", "smoke", *OWN[:3], "10.0.0.2,,"), "--worker-ips is ''"),
        (("ray-cluster", "smoke", *AWS, *OWN[2:]), "names machines that are there"),
        (("ray-cluster", "smoke", *AWS, "--workers", "0"), "leave the nodes of the cluster idle"),
        (("docker", "smoke", "engine=gpu"), "say --device cuda"),
    ],
)
def test_what_does_not_fit_is_refused(
    command: Command, words: tuple[object, ...], said: str
) -> None:
    answer = command("launch", *words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


def test_files_of_a_run_go_where_it_starts(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(command("config", "show", "smoke").out)
    sky = ("--image", "lab/evoplastic:1", *VOLUME)
    task = yaml.safe_load(printed(command("launch", "skypilot", "mine.yaml", *sky)))
    assert task["workdir"] == "."
    cluster = yaml.safe_load(printed(command("launch", "ray-cluster", "mine.yaml", *AWS)))
    assert cluster["file_mounts"]["~/run"] == "."
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert "is not within" in command("launch", "skypilot", "../mine.yaml", *sky).err
    assert "will not be in the image" in command("launch", "docker", "../mine.yaml").err
