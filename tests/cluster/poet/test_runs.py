"""Whole runs of POET: what they write, that they go on bit for bit, and what they refuse."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cluster.checkpoint import load_checkpoint
from cluster.config.run import load_config
from cluster.experiment import build_experiment
from cluster.journal import read_journal
from cluster.loop import RunOutcome, evolve, resume
from cluster.planning.dry_run import estimate
from cluster.planning.selection import doubts
from cluster.progress import SilentProgress, Tick
from evoplastic.api.references import find_genome
from evoplastic.checks import UsageError
from evoplastic.cli.dry_run import seconds_per_generation
from evoplastic.genome.genome import Genome
from evoplastic.records.events import GenerationEvent
from evoplastic.records.names import ENVIRONMENTS_FILE, ENVIRONMENTS_NAME, TRANSFERS_NAME
from tasks.machines.evolving.limits import identity
from tasks.machines.metatasks.reading import read_meta_task
from tests.cluster.poet.worlds import smoke


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    return evolve(smoke(), tmp_path_factory.mktemp("poet") / "run")


def metrics(run_dir: Path) -> list[dict[str, float]]:
    events = read_journal(run_dir / "journal.ndjson")[0]
    return [event.metrics for event in events if isinstance(event, GenerationEvent)]


def state_of(run_dir: Path) -> dict[str, bytes]:
    tensors = load_checkpoint(run_dir / "checkpoints").tensors
    return {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}


def test_environments_have_children_and_are_written_down(run: RunOutcome) -> None:
    table = pd.read_parquet(run.run_dir / ENVIRONMENTS_NAME)
    assert table.environment.tolist() == [f"e{n}" for n in range(len(table))]
    assert len(table) == 3
    assert table.parent.isna().tolist() == [True] + [False] * (len(table) - 1)
    assert table.form.is_unique
    assert table.born.tolist() == [0, 2, 4]
    assert table.retired[0] == 4, "there is room for two"
    assert table.retired[1:].isna().all()
    for row in table.to_dict("records"):
        task = read_meta_task(run.run_dir / ENVIRONMENTS_FILE, name=row["environment"])
        assert identity(task) == row["form"]
        assert json.loads(row["specification"])["name"] == row["environment"]
        assert row["adaptive"] - row["fixed"] > 0.1
    last = metrics(run.run_dir)[-1]
    assert last["poet/created"] == len(table) - 1
    assert last["poet/active_pairs"] == table.retired.isna().sum()
    assert last["poet/solved"] == table.solved.notna().sum()
    assert last["poet/annecs"] == (table.counts & table.solved.notna()).sum()


def test_who_was_tried_where_is_written_down(run: RunOutcome) -> None:
    table = pd.read_parquet(run.run_dir / TRANSFERS_NAME)
    births = table[table.kind == "birth"]
    assert births.accepted.all()
    assert len(births) == metrics(run.run_dir)[-1]["poet/created"]
    others = table[table.kind != "birth"]
    assert set(others.kind) == {"direct", "step"}
    assert set(others.generation) == {3}
    assert (others.source != others.target).all()
    assert (others[others.accepted].score > others[others.accepted].incumbent).all()
    assert metrics(run.run_dir)[-1]["poet/transfers"] == others.accepted.sum()


def test_the_genome_of_an_environment_has_a_name(run: RunOutcome) -> None:
    table = pd.read_parquet(run.run_dir / ENVIRONMENTS_NAME)
    for name in table.environment:
        found = find_genome(f"{run.run_dir}@{name}")
        genome = Genome.load(found.path)
        assert genome.provenance["environment"] == name
        assert found.config == run.run_dir / "config.resolved.yaml"
    with pytest.raises(UsageError, match=r"no genome of an environment e99; .* are e0, e1"):
        find_genome(f"{run.run_dir}@e99")


def test_what_a_run_costs_is_told_before_it() -> None:
    experiment = build_experiment(smoke())
    assert estimate(experiment)["generation"]["lifetimes"] == 2 * 4, "of all pairs there may be"
    assert seconds_per_generation(experiment) > 0
    assert not doubts(build_experiment(load_config("poet-laptop", ["engine=reference"])))


def test_lifetimes_take_the_time_that_the_journal_says(run: RunOutcome) -> None:
    for each in metrics(run.run_dir):
        parts = ("renew_s", "banks_s", "evaluate_s", "update_s", "checkpoint_s")
        assert each["time/generation_s"] == pytest.approx(sum(each[f"time/{p}"] for p in parts))


class StopAt(SilentProgress):
    """Asks the run to stop after a generation."""

    def __init__(self, generation: int) -> None:
        self.generation = generation

    def tick(self, tick: Tick) -> None:
        """Once."""
        if tick.generation == self.generation:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_stopped_and_resumed_run_equals_one_that_never_stopped(
    run: RunOutcome, tmp_path: Path
) -> None:
    stopped = evolve(smoke(), tmp_path / "run", progress=StopAt(3))
    assert (stopped.status, stopped.generation) == ("preempted", 3)
    resumed = resume(tmp_path / "run")
    assert resumed.center_digest == run.center_digest
    assert state_of(resumed.run_dir) == state_of(run.run_dir)
    for name in (ENVIRONMENTS_NAME, TRANSFERS_NAME):
        mine, whole = (pd.read_parquet(each.run_dir / name) for each in (resumed, run))
        pd.testing.assert_frame_equal(mine, whole)


@pytest.mark.exhaustive
def test_without_transfers_genomes_stay_where_they_are(tmp_path: Path) -> None:
    alone = evolve(smoke("poet.transfers=false"), tmp_path / "run")
    table = pd.read_parquet(alone.run_dir / TRANSFERS_NAME)
    environments = pd.read_parquet(alone.run_dir / ENVIRONMENTS_NAME).set_index("environment")
    assert set(table.kind) == {"birth"}
    assert table.source.tolist() == environments.parent[table.target].tolist()


@pytest.mark.exhaustive
@pytest.mark.parametrize("search", ["snes", "ga", "pgpe"])
def test_pairs_take_steps_of_any_search(search: str, tmp_path: Path) -> None:
    changed = (f"search={search}", "search.popsize=8")
    whole = evolve(smoke(*changed), tmp_path / "whole")
    evolve(smoke(*changed), tmp_path / "run", progress=StopAt(3))
    assert state_of(resume(tmp_path / "run").run_dir) == state_of(whole.run_dir)
    norms = [each["search/update_norm"] for each in metrics(whole.run_dir)]
    assert np.max(norms) > 0


SUITE = """
name: mine
pacing: self_paced
train: [{train}]
held_out: [meta/two-step]
"""


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["suite=miconi2023"], "has fixed timing, but environments that evolve are meta-tasks"),
        (["curriculum=hard_first", "evaluation.train_lifetimes=1"], "set curriculum=uniform"),
        (["search=map_elites"], "goes by losses alone"),
        (["poet.solved=0.5"], "at least the upper end of poet.minimal_criterion, 2"),
        (["poet.minimal_criterion=[0.5, 0.1]"], "expected the lower score first"),
        (["poet.admitted=3"], "expected at most poet.children = 2"),
        (["poet.gap=0.9"], "cannot be a first environment: .* lower poet.gap"),
        (["poet.states=3"], "expected at most 3, and few values"),
        (["poet.capacity=0"], "greater than or equal to 1"),
        (["poet.childs=2"], "did you mean 'poet.children'"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_generation(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        build_experiment(smoke(*overrides))


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("meta/cue-reward", "expected one channel for each"),
        ("Bandit", "is no meta-task, and environments that evolve are"),
        ("meta/t-maze, meta/dependent-bandit", "poet.capacity is 1; raise it, or train on fewer"),
    ],
)
def test_first_environments_have_to_fit(train: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SUITE.format(train=train))
    changed = [f"suite={tmp_path / 'mine.yaml'}", "poet.capacity=1", "num_neurons=40"]
    with pytest.raises(UsageError, match=message):
        build_experiment(smoke(*changed))


def test_a_run_does_not_go_on_in_another_world(run: RunOutcome) -> None:
    with pytest.raises(UsageError, match=r"a resumed run keeps its path.*poet\.states: 5 -> 6"):
        resume(run.run_dir, ["poet.states=6"])
