"""Held-out tasks by group: numbers by hand, for one run and for two seeds."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from analysis.figures.run import figure_accuracy
from analysis.generalization import final_table
from analysis.groups import groups_table
from analysis.store import RunRecords, open_run
from analysis.tables.groups import format_groups
from analysis.tables.pairs import pair_sentences
from evoplastic.records.events import Event
from tests.analysis import free_runs
from tests.analysis.runs import entry, evaluation, start, whole_run, write_run

THREE, FOUR = "3 new together", "4 new together"


def run(folder: Path, seed: int, shift: float = 0.0) -> RunRecords:
    """Three withheld combinations, the last evaluation with a control."""
    first = [
        entry("a", "held_out", (0.5, 0.5), group=THREE),
        entry("b", "held_out", (0.5, 0.5), group=THREE),
        entry("c", "held_out", (0.4, 0.4), group=FOUR),
    ]
    last = [
        entry("a", "held_out", (0.7, 0.9 + shift), group=THREE),
        entry("b", "held_out", (0.6, 0.6), group=THREE),
        entry("a", "held_out", (0.5, 0.6), "plasticity_off", group=THREE),
        entry("c", "held_out", (0.5, 0.7 + shift), group=FOUR),
        entry("and", "train", (1.0, 1.0)),
    ]
    events: list[Event] = [
        start(seed, f"small-{seed}"),
        evaluation(0, *first),
        evaluation(4, *last),
    ]
    return open_run(write_run(folder, events))


def test_a_group_is_the_mean_of_its_tasks(tmp_path: Path) -> None:
    table = groups_table([run(tmp_path, 1)]).set_index(["group", "condition"])
    assert set(table.index) == {(THREE, "plastic"), (THREE, "plasticity_off"), (FOUR, "plastic")}
    three = table.loc[(THREE, "plastic")]
    assert (three["tasks"], three["low"], three["mean"], three["high"]) == pytest.approx(
        (2, 0.6, 0.7, 0.8)
    )
    assert table.loc[(FOUR, "plastic"), "mean"] == pytest.approx(0.6)
    assert table.loc[(THREE, "plasticity_off"), "mean"] == pytest.approx(0.55)


def test_over_seeds_the_spread_is_that_of_seeds(tmp_path: Path) -> None:
    runs = [run(tmp_path / "one", 1), run(tmp_path / "two", 2, 0.1)]
    three = groups_table(runs).set_index(["group", "condition"]).loc[(THREE, "plastic")]
    assert (three["seeds"], three["low"], three["mean"], three["high"]) == pytest.approx(
        (2, 0.7, 0.7125, 0.725)
    )


def test_the_table_has_a_row_for_each_group(tmp_path: Path) -> None:
    console = Console(width=100)
    with console.capture() as capture:
        for table in format_groups([run(tmp_path, 1)]):
            console.print(table)
    text = capture.get()
    assert text.count("Held-out tasks by group: percent correct at the end") == 1
    (row,) = [line.split() for line in text.splitlines() if line.split()[:1] == ["3"]]
    assert row == ["3", "new", "together", "2", "70", "60-80", "62", "50", "55", "-"]


def test_rewards_of_groups_are_shown_where_they_have_levels(tmp_path: Path) -> None:
    session = free_runs.session(free_runs.TWO, 0, 0.5)
    entries = (replace(e, group="maze" if e.role == "held_out" else None) for e in session.entries)
    events: list[Event] = [start(), replace(session, entries=tuple(entries))]
    assert len(format_groups([open_run(write_run(tmp_path, events))])) == 2


def test_regret_is_told_of_groups_whose_tasks_all_have_an_adaptive_level(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path, [start(), free_runs.families()]))
    table = groups_table([run]).set_index(["group", "condition"])
    maze = table.loc[("maze", "plastic")]
    assert (maze["reward_adaptive"], maze["regret_share"]) == pytest.approx((1.0, 0.5))
    assert math.isnan(table.loc[("half", "plastic"), "regret_share"])
    console = Console(width=120)
    with console.capture() as capture:
        console.print(format_groups([run])[-1])
    assert "regret" in capture.get()
    (row,) = [line.split() for line in capture.get().splitlines() if line.split()[:1] == ["maze"]]
    assert {"0.60", "1.00", "0.40", "0.50"} <= set(row)


def test_runs_without_groups_have_no_table(tmp_path: Path) -> None:
    assert format_groups([open_run(write_run(tmp_path, whole_run()))]) == []


def test_many_pairs_of_opposite_answers_are_told_in_one_sentence(tmp_path: Path) -> None:
    pairs = tuple((f"{name}-pro", f"{name}-anti") for name in "abcd")
    means = {"a-pro": 0.94, "a-anti": 0.7}
    entries = [entry(t, "held_out", (means.get(t, 0.5),) * 2) for pair in pairs for t in pair]
    events: list[Event] = [replace(start(1), negations=pairs), evaluation(0, *entries)]
    record = open_run(write_run(tmp_path, events))
    table = final_table(record).query("condition == 'plastic'")
    first, told = pair_sentences(table)
    assert first.startswith("a-pro and a-anti and 3 more pairs show the same")
    assert told == ("Over these 4 pairs: ability 58 % (50 to 82), bias 3 % (its size, at most 12).")
    legend = figure_accuracy(record).axes[0].get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    assert "best fixed policy,\n8 held-out tasks: 62.5 %" in labels
