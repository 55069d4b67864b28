"""The figure of accuracy by generation is inspected line by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure

from analysis.figures.run import (
    figure_accuracy,
    figure_across_seeds,
    write_figures_across_seeds,
    write_figures_by_generation,
)
from analysis.figures.style import ROLE_COLOUR
from analysis.store import RunRecords, open_run
from evoplastic.checks import EnvironmentFault
from evoplastic.records.events import Event
from tests.analysis import runs


def read(directory: Path, events: list[Event]) -> RunRecords:
    return open_run(runs.write_run(directory, events))


@pytest.fixture
def records(tmp_path: Path) -> RunRecords:
    return read(tmp_path / "run", runs.whole_run())


def lines(figure: Figure) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for line in figure.axes[0].get_lines():
        found.setdefault(str(line.get_gid()), []).append(line)
    return found


def test_median_lines_hold_the_numbers(records: RunRecords) -> None:
    drawn = lines(figure_accuracy(records))
    (held_out,), (train,) = drawn["held_out-median"], drawn["train-median"]
    assert list(held_out.get_xdata()) == [0, 2, 4]
    assert list(held_out.get_ydata()) == pytest.approx([0.45, 0.55, 0.75])
    assert list(train.get_ydata()) == pytest.approx([0.5, 0.75, 0.95])
    assert held_out.get_color() == ROLE_COLOUR["held_out"] != train.get_color()


def test_bands_span_the_quartiles(records: RunRecords) -> None:
    axes: Any = figure_accuracy(records).axes[0]
    heights = {
        tuple(point)
        for band in axes.collections
        for path in band.get_paths()
        for point in path.vertices
    }
    assert any(x == 4 and y == pytest.approx(0.675) for x, y in heights)
    assert any(x == 4 and y == pytest.approx(0.825) for x, y in heights)


def test_levels_come_from_the_records(records: RunRecords) -> None:
    drawn = lines(figure_accuracy(records))
    assert [set(line.get_ydata()) for line in drawn["chance"]] == [{0.5}]
    assert [set(line.get_ydata()) for line in drawn["fixed-policy"]] == [{runs.FIXED_POLICY}]


def test_controls_stand_at_the_first_and_the_last_generation(records: RunRecords) -> None:
    drawn = lines(figure_accuracy(records))
    for condition, medians in (("plasticity_off", [0.45, 0.45]), ("random_genome", [0.6, 0.6])):
        markers = drawn[f"held_out-{condition}"]
        assert [line.get_xdata()[0] for line in markers] == [0, 4]
        assert [line.get_ydata()[0] for line in markers] == pytest.approx(medians)


def test_two_held_out_tasks_have_a_line_each(tmp_path: Path) -> None:
    def both(generation: int, low: float, high: float) -> Event:
        return runs.evaluation(
            generation,
            runs.entry("dms", "held_out", (low, low)),
            runs.entry("dnms", "held_out", (high, high)),
        )

    drawn = lines(
        figure_accuracy(read(tmp_path, [runs.start(), both(0, 0.4, 0.6), both(5, 0.7, 0.9)]))
    )
    assert list(drawn["dms-median"][0].get_ydata()) == [0.4, 0.7]
    assert list(drawn["dnms-median"][0].get_ydata()) == [0.6, 0.9]
    assert list(drawn["held_out-median"][0].get_ydata()) == pytest.approx([0.5, 0.8])


def test_a_single_evaluation_is_drawn_as_points(tmp_path: Path) -> None:
    figure = figure_accuracy(read(tmp_path, [runs.start(), runs.first_evaluation()]))
    drawn = lines(figure)
    assert list(drawn["held_out-median"][0].get_ydata()) == pytest.approx([0.45])
    assert len(drawn["held_out-plasticity_off"]) == 1
    assert list(figure.axes[0].get_xticks()) == [0]


def test_caption_and_footer_say_what_was_measured(records: RunRecords) -> None:
    figure = figure_accuracy(records)
    caption, footer = (" ".join(text.get_text().split()) for text in figure.texts)
    assert "last 10 of 40 trials" in caption
    assert "4 lifetimes of each held-out task and 2 lifetimes of each training task" in caption
    assert footer == "run small-5 | seed 5 | commit 0123456"


def test_texts_do_not_overlap_and_stay_on_the_page(records: RunRecords) -> None:
    figure = figure_accuracy(records)
    figure.draw_without_rendering()
    page: Any = figure.bbox
    axes: Any = figure.axes[0]
    boxes: list[Any] = [text.get_window_extent() for text in figure.texts]
    boxes += [axes.get_tightbbox(), axes.get_legend().get_window_extent()]
    for box in boxes:
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1
    caption, footer = boxes[:2]
    assert not caption.overlaps(footer)
    assert not caption.overlaps(axes.xaxis.get_tightbbox())


def test_across_seeds_draws_the_median_of_medians(tmp_path: Path) -> None:
    three = [
        read(tmp_path / str(seed), runs.whole_run(seed, shift))
        for seed, shift in ((1, 0.0), (2, 0.02), (3, 0.06))
    ]
    figure = figure_across_seeds(three)
    # at generation 4 the medians over lifetimes are 0.75, 0.76, 0.78
    assert list(lines(figure)["held_out-median"][0].get_ydata()) == pytest.approx(
        [0.47, 0.55, 0.76]
    )
    caption, footer = (" ".join(text.get_text().split()) for text in figure.texts)
    assert "n = 3 seeds" in caption
    assert footer == "3 runs | seeds 1, 2, 3 | commit 0123456"
    files = write_figures_across_seeds(three, tmp_path / "out")
    assert [file.name for file in files] == [
        f"accuracy_across_seeds.{end}" for end in ("png", "svg", "csv")
    ]
    numbers = pd.read_csv(files[2]).set_index(["generation", "task", "role", "condition"])
    assert numbers.loc[(4, "all", "held_out", "plastic"), "median"] == 0.76


def test_the_same_records_make_the_same_bytes(records: RunRecords, tmp_path: Path) -> None:
    once = write_figures_by_generation(records, tmp_path / "once")
    again = write_figures_by_generation(records, tmp_path / "again")
    assert [file.suffix for file in once] == [".png", ".svg", ".csv"]
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert "<dc:date>" not in once[1].read_text()


def test_numbers_beside_the_figure(records: RunRecords, tmp_path: Path) -> None:
    csv = write_figures_by_generation(records, tmp_path)[2]
    numbers = pd.read_csv(csv).set_index(["generation", "task", "role", "condition"])
    row = numbers.loc[(4, "dms", "held_out", "plastic")]
    assert row["q25"] == 0.675
    assert row["above_fixed_policy"] == 0.75
    assert set(numbers["seed"]) == {5}


def test_the_callers_settings_are_left_alone(records: RunRecords, tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    write_figures_by_generation(records, tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_a_directory_that_cannot_be_made_is_named(records: RunRecords, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot write .*taken"):
        write_figures_by_generation(records, tmp_path / "taken")
