"""Figures of self-paced runs: which there are, their levels, and that nothing overlaps."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures.curve import figure_learning_curves
from analysis.figures.panels import condensed, panels_of
from analysis.figures.run import figure_accuracy, figure_tasks
from analysis.measures import ACCURACY, MEASURES, REWARD
from analysis.report import analyze
from analysis.store import RunRecords, open_run
from evoplastic.records.events import Event
from tests.analysis import free_runs, runs

MANY = {2: free_runs.TWO, 14: free_runs.many(10, 4), 30: free_runs.many(24, 6)}


def read(directory: Path, events: list[Event]) -> RunRecords:
    return open_run(runs.write_run(directory, events))


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return read(tmp_path, free_runs.whole_run((*free_runs.TWO, free_runs.BANDIT)))


def panels(figure: Figure) -> dict[str, Any]:
    return {axes.get_title().replace("\n", " "): axes for axes in figure.axes}


def level(axes: Any, kind: str) -> list[float]:
    return [line.get_ydata()[0] for line in axes.get_lines() if line.get_gid() == kind]


def all_figures(records: RunRecords) -> list[Figure]:
    figures = [figure_accuracy(records)]
    for measure in MEASURES:
        figures.append(figure_tasks([records], measure))
        figures.append(figure_learning_curves(records, measure))
    return figures


def require_readable(figure: Figure) -> None:
    """Titles, legends, caption and footer lie on the page and not upon each other."""
    figure.draw_without_rendering()
    boxes: dict[str, Any] = {
        text.get_text(): text.get_window_extent() for text in figure.texts if text.get_text()
    }
    legends = [axes.get_legend() for axes in figure.axes] + list(figure.legends)
    for number, legend in enumerate(each for each in legends if each is not None):
        boxes[f"legend {number}"] = legend.get_window_extent()
    for axes in figure.axes:
        boxes[f"title {axes.get_title()}"] = axes.title.get_window_extent()
        boxes[f"frame of {axes.get_title()}"] = axes.get_window_extent()
        boxes[f"below {axes.get_title()}"] = axes.xaxis.get_tightbbox()
    boxes = {name: box for name, box in boxes.items() if box is not None}  # no labels, no box
    page: Any = figure.bbox
    for name, box in boxes.items():
        assert page.x0 <= box.x0, name
        assert box.x1 <= page.x1, name
        assert page.y0 <= box.y0, name
        assert box.y1 <= page.y1, name
    for (name, box), (other, beside) in combinations(boxes.items(), 2):
        if {name.partition(" ")[0], other.partition(" ")[0]} != {"frame", "below"}:
            assert not box.overlaps(beside), (name, other)


@pytest.mark.parametrize("count", [2, 14, pytest.param(30, marks=pytest.mark.exhaustive)])
def test_figures_of_many_long_names_are_readable(tmp_path: Path, count: int) -> None:
    for figure in all_figures(read(tmp_path, free_runs.whole_run(MANY[count]))):
        require_readable(figure)


def test_each_role_has_its_axes_with_its_own_levels(tmp_path: Path) -> None:
    figure = figure_accuracy(read(tmp_path, free_runs.whole_run(MANY[14])))
    held_out, train = list[Any](figure.axes)
    assert held_out.get_title() == "held-out tasks (3)"
    assert train.get_title() == "training tasks (9)"
    # training tasks have chance 3, 7, 9 ... 19, 3 %
    assert level(train, "chance") == [pytest.approx(0.11)]
    labels = [text.get_text() for text in train.get_legend().get_texts()]
    assert "chance, 11 % (3 % to 19 %)" in labels
    assert "fixed policy, 30 % (20 % to 38 %)" in labels
    thin = [line for line in train.get_lines() if str(line.get_gid()).startswith("yang19")]
    assert len(thin) == 9


def test_paced_tasks_of_different_chance_have_axes_by_role(tmp_path: Path) -> None:
    other = replace(runs.entry("four", "train", (0.25, 0.5)), chance=0.25, fixed_policy_level=0.25)
    both = runs.evaluation(0, runs.entry("and", "train", (0.5, 0.75)), other)
    figure = figure_accuracy(read(tmp_path, [runs.start(), both]))
    (axes,) = list[Any](figure.axes)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "chance, 37.5 % (25 % to 50 %)" in labels
    assert "when an answer is due" not in figure.texts[0].get_text()
    require_readable(figure)


def test_reward_panels_hold_the_numbers_and_levels_of_their_task(records: RunRecords) -> None:
    drawn = panels(figure_tasks([records], REWARD))
    assert list(drawn) == ["yang19.ctxdlydm1 (held out)", "yang19.go", "Bandit-v0"]
    bandit = drawn["Bandit-v0"]
    assert [level(bandit, kind) for kind in ("chance", "fixed-policy", "oracle")] == [
        [-2],
        [6],
        [20],
    ]
    (median,) = [line for line in bandit.get_lines() if line.get_gid() == "median"]
    assert list(median.get_xdata()) == [0, 10, 20, 30, 40]
    assert median.get_ydata()[2] == pytest.approx(-2 + 22 * 0.5)
    controls = [line for line in bandit.get_lines() if line.get_gid() == "train-plasticity_off"]
    assert [line.get_xdata()[0] for line in controls] == [0, 40]
    assert bandit.get_ylim()[1] > 20 > drawn["yang19.go"].get_ylim()[1]


def test_accuracy_panels_leave_out_tasks_without_answers(records: RunRecords) -> None:
    for figure in (figure_tasks([records], ACCURACY), figure_learning_curves(records)):
        assert list(panels(figure)) == ["yang19.ctxdlydm1 (held out)", "yang19.go"]


def test_learning_curves_have_the_levels_of_their_task(records: RunRecords) -> None:
    drawn = panels(figure_learning_curves(records))
    assert level(drawn["yang19.go"], "chance") == [0.0625]
    assert level(drawn["yang19.go"], "fixed-policy") == [0.125]
    assert level(drawn["yang19.ctxdlydm1 (held out)"], "chance") == [0.03]
    figure = figure_learning_curves(records, REWARD)
    assert level(panels(figure)["Bandit-v0"], "oracle") == [20]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "chance, -2 to -0.1, by task" in labels


def test_a_free_running_run_has_figures_of_both_measures(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path, free_runs.whole_run((*free_runs.TWO, free_runs.BANDIT)))
    files = {file.name: file for file in analyze(run, to_mlflow=False).files}
    stems = (
        "accuracy_by_generation",
        "accuracy_by_task",
        "reward_by_task",
        "learning_curves",
        "reward_learning_curves",
    )
    endings = ("png", "svg", "csv")
    assert set(files) == {f"{stem}.{end}" for stem in stems for end in endings} | {
        "final_table.csv"
    }
    rewards = pd.read_csv(files["reward_by_task.csv"])
    assert set(rewards["task"]) == {"yang19.go", "yang19.ctxdlydm1", "Bandit-v0"}
    assert {"reward_median", "reward_oracle", "seed"} <= set(rewards.columns)
    assert "reward_mean" in pd.read_csv(files["accuracy_by_generation.csv"]).columns
    assert set(pd.read_csv(files["reward_learning_curves.csv"])["task"]) == set(rewards["task"])


def test_a_run_of_rewards_alone_has_no_figure_of_accuracy(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path, free_runs.whole_run((free_runs.BANDIT,)))
    names = {file.stem for file in analyze(run, to_mlflow=False).files}
    assert names == {"final_table", "reward_by_task", "reward_learning_curves"}


def test_a_first_evaluation_alone_is_drawn(tmp_path: Path) -> None:
    records = read(tmp_path, free_runs.whole_run(free_runs.TWO)[:2])
    for figure in all_figures(records):
        require_readable(figure)


def test_of_many_tasks_training_ones_and_large_groups_share_panels() -> None:
    rows = [
        {"generation": generation, "condition": "plastic", "role": role, "task": f"{role} {number}"}
        | {"median": number + generation}
        for generation in (0, 5)
        for role, count in (("train", 40), ("held_out", 12))
        for number in range(count)
    ]
    table, by = pd.DataFrame(rows), ("generation", "condition")
    groups = {f"held_out {number}": "unseen" for number in range(9)} | {"held_out 9": "bandit"}
    few, said = condensed(table, by, groups)
    assert panels_of(few) == [
        *(("held_out", f"held_out {number}") for number in (9, 10, 11)),
        ("held_out", "unseen, mean of 9"),
        ("train", "training tasks, mean of 40"),
    ]
    assert few.loc[few["role"] == "train", "median"].tolist() == [19.5, 24.5]
    assert few.loc[few["task"] == "unseen, mean of 9", "median"].tolist() == [4.0, 9.0]
    assert "The CSV file has all tasks." in said
    same, nothing = condensed(table[table["task"].str.endswith(("1", "2"))], by, groups)
    assert (len(panels_of(same)), nothing) == (11, "")
    few, said = condensed(table.assign(role="held_out"), by, {})
    assert len(panels_of(few)) == 30
    assert "22 more held-out tasks are not drawn" in said
