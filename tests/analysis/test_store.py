"""Records are read as they were written, from whole, running, resumed and damaged runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.store import open_run
from evoplastic.checks import UsageError
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.records.events import EndEvent, Event, FaultEvent, ResumeEvent, to_line
from tests.analysis import runs


def test_a_finished_run_is_read_as_written(tmp_path: Path) -> None:
    events = runs.whole_run()
    records = open_run(runs.write_run(tmp_path / "run", events))
    assert [event.generation for event in records.generations] == [0, 1, 2, 3]
    assert records.evaluations == (events[1], events[4], events[7])
    assert (records.run_id, records.seed, records.status) == ("small-5", 5, "done")
    assert records.commit == "0123456"
    assert (records.num_trials, records.scored_trials) == (40, 10)


def test_a_line_that_is_still_being_written_is_left(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", [runs.start(), runs.generation(0)])
    with (run / "journal.ndjson").open("a") as journal:
        journal.write(to_line(runs.generation(1))[:30])
    records = open_run(run)
    assert [event.generation for event in records.generations] == [0]
    assert records.status == "running"


def test_a_generation_lived_twice_counts_once(tmp_path: Path) -> None:
    first, again = runs.generation(1, loss=0.3), runs.generation(1, loss=0.7)
    fault = FaultEvent(time_ms=5, generation=1, kind="worker", message="died")
    events: list[Event] = [
        runs.start(),
        runs.generation(0),
        first,
        fault,
        EndEvent(time_ms=6, generation=1, status="preempted"),
        ResumeEvent(time_ms=7, generation=1),
        again,
        runs.generation(2),
    ]
    records = open_run(runs.write_run(tmp_path / "run", events))
    assert [event.generation for event in records.generations] == [0, 1, 2]
    assert records.generations[1] == first
    assert records.faults == (fault,)
    assert records.status == "running"


def test_a_preempted_run_says_so(tmp_path: Path) -> None:
    events: list[Event] = [runs.start(), EndEvent(time_ms=6, generation=0, status="preempted")]
    assert open_run(runs.write_run(tmp_path / "run", events)).status == "preempted"


def test_a_changed_source_tree_shows_in_the_commit(tmp_path: Path) -> None:
    event = runs.start()
    object.__setattr__(event, "git_dirty", True)
    assert open_run(runs.write_run(tmp_path / "run", [event])).commit == "0123456 (changed)"


def test_genomes_are_found_by_name(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    genome = Genome.random(Layout(NeuronGroups(num_neurons=16)), 3, GenomeConfig())
    genome.save(run / "genomes" / "center.safetensors")
    records = open_run(run)
    assert records.genome().digest == genome.digest
    with pytest.raises(UsageError, match="no genome 'initial'; it has: center"):
        records.genome("initial")


def test_the_folder_of_runs_may_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.write_run(tmp_path / "runs" / "mine-seed1-001", runs.whole_run())
    monkeypatch.chdir(tmp_path)
    assert open_run("mine-seed1-001").directory == Path("runs/mine-seed1-001")


def test_no_such_run_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no run directory .*absent"):
        open_run(tmp_path / "absent")


def test_a_directory_without_a_journal_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no journal\.ndjson"):
        open_run(tmp_path)


def test_a_file_is_no_run(tmp_path: Path) -> None:
    journal = runs.write_run(tmp_path / "run", runs.whole_run()) / "journal.ndjson"
    with pytest.raises(UsageError, match="is a file; give a run directory"):
        open_run(journal)


def test_a_corrupt_line_is_named_with_its_file(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    lines = (run / "journal.ndjson").read_text().splitlines()
    lines[2] = lines[2][:-9]
    (run / "journal.ndjson").write_text("\n".join(lines) + "\n")
    with pytest.raises(UsageError, match=r"run/journal\.ndjson, line 3,"):
        open_run(run)


def test_a_journal_without_a_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no start event"):
        open_run(runs.write_run(tmp_path / "run", [runs.generation(0)]))


@pytest.mark.parametrize(
    "content", ["lifetime: [", "seed: 3", "lifetime: {num_trials: 10, scored_trials: 11}"]
)
def test_a_corrupt_configuration_is_named(tmp_path: Path, content: str) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    (run / "config.resolved.yaml").write_text(content)
    with pytest.raises(UsageError, match=r"run/config\.resolved\.yaml"):
        open_run(run)


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    (run / "config.resolved.yaml").unlink()
    with pytest.raises(UsageError, match=r"config\.resolved\.yaml is missing"):
        open_run(run)
