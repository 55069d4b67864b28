"""The figure of held-out families of meta-tasks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.figures.groups import figure_groups
from analysis.figures.run import write_figures_by_generation
from analysis.store import open_run
from tests.analysis import free_runs
from tests.analysis.runs import start, whole_run, write_run


def test_families_with_a_best_adaptive_level_are_drawn(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path / "run", [start(), free_runs.families()]))
    figure = figure_groups([run])
    assert figure is not None
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["maze\n(2)"]
    lines = {line.get_gid(): line for line in axes.get_lines()}
    assert lines["plasticity_off"].get_ydata() == pytest.approx([0.6])
    (level,) = [each for each in axes.collections if each.get_gid() == "adaptive"]
    assert np.asarray(level.get_paths()[0].vertices)[:, 1] == pytest.approx([1.0, 1.0])
    files = {file.name for file in write_figures_by_generation(run, tmp_path)}
    assert {"reward_by_group.png", "reward_by_group.svg", "reward_by_group.csv"} <= files


def test_other_runs_have_no_such_figure(tmp_path: Path) -> None:
    run = open_run(write_run(tmp_path, whole_run()))
    assert figure_groups([run]) is None
