"""`make gpu` where there is no GPU: it says so, and its parts hold on what the interpreter runs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cluster.config.run import load_config
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.search.config import ESConfig
from evoplastic.search.es import EvolutionStrategy, update
from tests.benchmarks.gpu import report
from tests.gpu.__main__ import LIMIT_S, NO_GPU, TOTAL_S, run_part
from tests.gpu.evolution import adam
from tests.gpu.study import Setting
from tests.gpu.targets import verdicts

ROOT = Path(__file__).parents[2]
NOT_THERE = (
    *("ray", "evotorch", "mlflow", "neurogym", "gymnasium", "gym", "pydantic", "yaml", "numba"),
    *("llvmlite", "pandas", "matplotlib", "safetensors", "xarray", "pytest"),
)
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None, reason="the package triton is not installed"
)


def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine on which nothing but torch, triton, numpy and jax is found."""
    block = f"import sys\nfor name in {NOT_THERE!r}:\n    sys.modules[name] = None\n"
    (tmp_path / "sitecustomize.py").write_text(block)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def run(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.gpu", *options],
        cwd=ROOT,
        env=bare(tmp_path),
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@needs_triton
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_a_gpu_it_says_so_and_claims_nothing(tmp_path: Path) -> None:
    ended = run(tmp_path, "--out", str(tmp_path / "gpu.json"))
    assert ended.returncode == NO_GPU
    assert "no CUDA device is visible to torch" in ended.stderr
    assert not (tmp_path / "gpu.json").exists()


@needs_triton
@pytest.mark.parametrize(
    "parts", [("bits",), pytest.param(tuple(LIMIT_S), marks=pytest.mark.exhaustive)]
)
def test_parts_need_nothing_but_what_the_machine_has(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "there" / "gpu.json"
    ended = run(tmp_path, "--interpret", "--out", str(out), "--parts", *parts)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = json.loads(out.read_text())
    assert [*report["parts"]] == [*parts]
    for part in report["parts"].values():
        assert part["status"] == "held"
        assert part["rows"]
    assert report["verdicts"] == []
    assert report["interpreted"]
    if "parity" in parts:
        schedules = {row["schedule"] for row in report["parts"]["parity"]["rows"]}
        assert schedules == {"at_outcome", "lazy", "every_step"}


@needs_triton
def test_every_part_starts_without_the_packages_of_a_development_machine(tmp_path: Path) -> None:
    parts = [*LIMIT_S, "study"]
    code = f"import importlib\nfor n in {parts}: importlib.import_module('tests.gpu.' + n)"
    command = [sys.executable, "-c", code]
    subprocess.run(command, cwd=ROOT, env=bare(tmp_path), check=True, timeout=120)


def test_a_part_that_fails_or_takes_too_long_costs_itself_alone() -> None:
    assert run_part("no_such_part", 60.0, True)["status"] == "failed with 1"
    assert run_part("bits", 0.05, True)["status"] == "stopped after 0 s"
    assert run_part("bits", 0.0, True)["status"].startswith("not run")
    assert TOTAL_S <= 480


@needs_triton
@pytest.mark.exhaustive
def test_settings_are_compared_by_their_accuracy_on_training_tasks(tmp_path: Path) -> None:
    tiny = {"search": {"popsize": 4}, "lifetime": {"num_trials": 2, "scored_trials": 1}}
    settings, out = tmp_path / "settings.json", tmp_path / "out.jsonl"
    settings.write_text(json.dumps([{"name": "tiny", **tiny}]))
    length = ["--seeds", "1", "--generations", "1", "--every", "1", "--lives", "1"]
    command = [sys.executable, "-m", "tests.gpu.study", str(settings), "--out", str(out), *length]
    environment = {**bare(tmp_path), "TRITON_INTERPRET": "1"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=600)
    (found,) = (json.loads(line) for line in out.read_text().splitlines())
    assert [point["generation"] for point in found["points"]] == [0, 1]
    assert all("held_out" not in point and len(point["tasks"]) == 12 for point in found["points"])


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "gpu" / "settings").glob("*.json")))
def test_kept_settings_are_such(file: Path) -> None:
    settings = Setting.read(file)
    assert settings
    for setting in settings:
        ESConfig(**setting.search)
        GenomeConfig(**setting.genome)
        setting.lives()


def test_the_networks_own_modulation_is_studied_as_its_recipe_has_it() -> None:
    setting = Setting.read(ROOT / "tests" / "gpu" / "settings" / "own.json")[0]
    recipe, ours = load_config("miconi2023-internal"), setting.lives()
    noise = replace(ours.perturbation, quiet_trials=ours.quiet_trials)
    assert replace(ours, perturbation=noise) == recipe.simulated
    assert setting.uniform == (recipe.curriculum.name == "uniform")
    assert ESConfig(**setting.search) == recipe.search
    assert GenomeConfig(**setting.genome) == recipe.genome


def test_what_a_card_was_found_to_do_is_reported() -> None:
    assert any(line.startswith("### NVIDIA") for line in report())


def test_targets_are_judged_by_what_was_measured() -> None:
    parts = {
        "speed": {"rows": [{"name": "paper, 500", "seconds": 0.02}]},
        "evolution": {"rows": [{"name": "search", "seconds_per_generation": 0.07}]},
    }
    assert [each["status"] for each in verdicts(parts)] == ["reached", "missed", "unknown"]


def test_the_step_of_the_search_is_that_of_its_optimizer_bit_for_bit() -> None:
    layout, config = Layout(NeuronGroups(num_neurons=13)), ESConfig(popsize=4)
    state = EvolutionStrategy(config, layout, seed=0).init(layout.initial(0, GenomeConfig()))
    ours = state
    for step in range(4):
        pull_G = torch.randn(layout.size, generator=torch.Generator().manual_seed(step))
        state, ours = update(state, pull_G, config, layout), adam(ours, pull_G, config, layout)
        for name, mine, theirs in zip(state._fields, ours, state, strict=True):
            assert torch.equal(mine, theirs), f"{name} after step {step}"
