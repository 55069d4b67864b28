"""Tables against numbers worked out by hand from the small run."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from analysis.generalization import (
    final_table,
    role_accuracy_by_generation,
    scores_across_seeds,
    scores_by_generation,
)
from analysis.store import RunRecords, open_run
from analysis.tables.final import format_final_table
from evoplastic.checks import UsageError
from evoplastic.records.events import Event
from tests.analysis import runs


def read(directory: Path, events: list[Event]) -> RunRecords:
    return open_run(runs.write_run(directory, events))


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return read(tmp_path / "run", runs.whole_run())


def test_spread_over_lifetimes(records: RunRecords) -> None:
    table = scores_by_generation(records)
    (row,) = table[
        (table["generation"] == 4) & (table["task"] == "dms") & (table["condition"] == "plastic")
    ].itertuples()
    # 0.6, 0.7, 0.8, 0.9; quartiles lie a quarter of the way from 0.7 to 0.6, and from 0.8 to 0.9
    assert row.mean == pytest.approx(0.75)
    assert (row.q25, row.median, row.q75) == pytest.approx((0.675, 0.75, 0.825))
    assert row.above_fixed_policy == pytest.approx(0.75)  # 0.6 is below 0.625
    assert (row.lifetimes, row.role) == (4, "held_out")
    assert (row.chance, row.fixed_policy_level) == (0.5, runs.FIXED_POLICY)


def test_statistics_are_those_the_metrics_report(records: RunRecords) -> None:
    table = scores_by_generation(records).set_index(["generation", "task", "condition"])
    for event in records.evaluations:
        for entry in event.entries:
            row = table.loc[(event.generation, entry.task, entry.condition)]
            expected = entry.statistics()
            for name in ("mean", "median", "q25", "q75"):
                assert row[name] == pytest.approx(expected[f"accuracy_{name}"])
            assert row["above_fixed_policy"] == pytest.approx(expected["above_fixed_policy"])


def test_tasks_of_a_role_are_taken_together(tmp_path: Path) -> None:
    both = runs.evaluation(
        0, runs.entry("dms", "held_out", (0.5, 0.6)), runs.entry("dnms", "held_out", (0.7, 1.0))
    )
    table = role_accuracy_by_generation(read(tmp_path, [runs.start(), both]))
    assert len(table) == 1
    assert table["median"].iloc[0] == pytest.approx(0.65)
    assert table["lifetimes"].iloc[0] == 4


def test_final_table_holds_the_last_evaluation_of_each_condition(records: RunRecords) -> None:
    table = final_table(records)
    assert list(table["task"]) == ["and", "dms", "dms", "dms"]
    assert list(table["role"]) == ["train", "held_out", "held_out", "held_out"]
    by_condition = table[table["task"] == "dms"].set_index("condition")
    assert set(by_condition["generation"]) == {4}
    plastic = by_condition.loc["plastic"]
    assert plastic["iqr"] == pytest.approx(0.15)
    assert plastic["first_mean"] == pytest.approx(0.45)
    assert by_condition.loc["plasticity_off", "mean"] == pytest.approx(0.45)
    assert by_condition.loc["random_genome", "mean"] == pytest.approx(0.6)
    assert set(table["seed"]) == {5}


def test_controls_of_an_earlier_evaluation_keep_their_generation(tmp_path: Path) -> None:
    events: list[Event] = [runs.start(), runs.first_evaluation(), runs.middle_evaluation()]
    table = final_table(read(tmp_path, events)).set_index(["task", "condition"])
    assert table.loc[("dms", "plastic"), "generation"] == 2
    assert table.loc[("dms", "plasticity_off"), "generation"] == 0


def test_shown_table_says_what_it_shows(records: RunRecords) -> None:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(format_final_table(final_table(records)))
    shown = capture.get()
    assert max(len(line) for line in shown.splitlines()) <= 80
    (dms,) = [line for line in shown.splitlines() if line.strip().startswith("dms (held out)")]
    # generation 0, generation 4, quartiles, above fixed, fixed policy, chance, off, random
    assert dms.split()[3:] == ["45", "75", "68-82", "75", "62", "50", "45", "60"]
    (trained,) = [line for line in shown.splitlines() if line.strip().startswith("and ")]
    assert trained.split()[-2:] == ["-", "-"]
    words = " ".join(shown.split())
    for phrase in (
        "generation 4, seed 5",
        "last 10 of the 40 trials",
        "n = 4 of each held-out task and 2 of each training task",
        "Guessing gives 50 %",
        "62.5 % on dms",
        "Controls of generation 4",
    ):
        assert phrase in words


def test_shown_table_of_a_first_evaluation_without_controls(tmp_path: Path) -> None:
    only = runs.evaluation(0, runs.entry("and", "train", (0.5, 0.75)))
    console = Console(width=80)
    with console.capture() as capture:
        console.print(format_final_table(final_table(read(tmp_path, [runs.start(), only]))))
    assert "Controls have not been measured yet" in " ".join(capture.get().split())
    assert capture.get().count("gen.") == 1


def test_spread_across_seeds_is_that_of_the_runs_medians(tmp_path: Path) -> None:
    three = [
        read(tmp_path / str(seed), runs.whole_run(seed, shift))
        for seed, shift in ((1, 0.0), (2, 0.02), (3, 0.06))
    ]
    table = scores_across_seeds(three).set_index(["generation", "task", "condition"])
    row = table.loc[(0, "dms", "plastic")]
    # medians over lifetimes: 0.45, 0.47, 0.51
    assert (row["q25"], row["median"], row["q75"]) == pytest.approx((0.46, 0.47, 0.49))
    assert row["runs"] == 3


def test_only_generations_of_all_seeds_enter(tmp_path: Path) -> None:
    long = read(tmp_path / "long", runs.whole_run(1))
    short = read(tmp_path / "short", runs.whole_run(2)[:5])
    assert sorted(set(scores_across_seeds([long, short])["generation"])) == [0, 2]


def test_a_seed_enters_once(records: RunRecords) -> None:
    with pytest.raises(UsageError, match=r"seeds \[5, 5\]; each seed may enter once"):
        scores_across_seeds([records, records])


def test_seeds_without_a_common_generation(tmp_path: Path) -> None:
    one = read(tmp_path / "1", [runs.start(1), runs.first_evaluation()])
    other = read(tmp_path / "2", [runs.start(2), runs.last_evaluation()])
    with pytest.raises(UsageError, match="no evaluated generation in common"):
        scores_across_seeds([one, other])


def test_no_runs() -> None:
    with pytest.raises(UsageError, match="no runs given"):
        scores_across_seeds([])


def test_a_run_without_an_evaluation_is_told_to_wait(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no evaluation on record yet; wait"):
        final_table(read(tmp_path, [runs.start(), runs.generation(0)]))
