"""Tables of environments as figures: their order, ANNECS, and what is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

from analysis.environments.reading import annecs_by_generation, read_evolved, tree_order
from analysis.figures.environments.annecs import annecs_table, figure_annecs
from analysis.figures.environments.tree import figure_tree
from analysis.figures.environments.writing import write_figures_annecs, write_figures_environments
from analysis.store import RunRecords, open_run
from evoplastic.checks import UsageError
from evoplastic.records.events import Event, GenerationEvent
from evoplastic.records.names import ENVIRONMENTS_NAME, TRANSFERS_NAME
from tests.analysis.runs import entry, evaluation, start, write_run

ROWS = [
    # environment, parent, born, retired, solved, solver, counts
    ("e0", None, 0, 6, 2, "e0", False),
    ("e1", "e0", 2, None, 4, "e1", True),
    ("e2", "e0", 4, None, 6, "e1", True),
    ("e3", "e1", 4, None, None, None, True),
]
MOVES = [
    (4, "e0", "e2", "birth", 0.4, 0.1, True),
    (6, "e1", "e2", "step", 0.9, 0.5, True),
    (6, "e2", "e1", "direct", 0.1, 0.8, False),
]


def write_tables(directory: Path) -> None:
    columns = ["environment", "parent", "born", "retired", "solved", "solver", "counts"]
    environments = pd.DataFrame(ROWS, columns=columns)
    for name in ("novelty", "score", "difficulty"):
        environments[name] = 0.5
    environments["specification"] = "{}"
    environments.to_parquet(directory / ENVIRONMENTS_NAME)
    names = ["generation", "source", "target", "kind", "score", "incumbent", "accepted"]
    pd.DataFrame(MOVES, columns=names).to_parquet(directory / TRANSFERS_NAME)


def run_of(directory: Path, annecs: list[int], seed: int = 5, transfers: bool = True) -> RunRecords:
    session = [entry("a", "train", [0.5]), entry("b", "held_out", [0.5])]
    events: list[Event] = [
        start(seed, f"small-{seed}-{transfers}"),
        evaluation(0, *session),
        *(
            GenerationEvent(
                time_ms=2_000 + n,
                generation=n,
                metrics={"poet/annecs": float(count), "poet/created": 3.0},
            )
            for n, count in enumerate(annecs)
        ),
        evaluation(len(annecs), *session),
    ]
    write_run(directory, events)
    config = directory / "config.resolved.yaml"
    config.write_text(f"{config.read_text()}poet:\n  transfers: {str(transfers).lower()}\n")
    return open_run(directory)


def test_an_environment_stands_before_its_children_and_the_youngest_nearest() -> None:
    table = pd.DataFrame(ROWS).rename(columns={0: "environment", 1: "parent"})
    assert tree_order(table) == ["e0", "e2", "e1", "e3"]


def test_the_tree_shows_lives_solvers_and_moves(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", [0] * 8)
    write_tables(run.directory)
    evolved = read_evolved(run.directory)
    assert evolved is not None
    (ax,) = figure_tree(run, evolved).axes
    lives = {line.get_gid(): np.asarray(line.get_xdata()).tolist() for line in ax.lines}
    assert lives["e0"] == [0, 6]
    assert lives["e3"] == [4, 8]
    solvers = [text.get_text() for text in ax.texts if text.get_text()]
    assert solvers == ["e1"], "e2, solved by the genome of e1"
    arrows = [each for each in ax.texts if isinstance(each, Annotation) and not each.get_text()]
    assert [(each.xy, each.xyann) for each in arrows] == [((6, 1), (6, 2))]


def test_annecs_with_and_without_transfers_are_drawn_beside_each_other(tmp_path: Path) -> None:
    runs = [
        run_of(tmp_path / "a", [0, 1, 2, 2], 1),
        run_of(tmp_path / "b", [0, 0, 2, 4], 2),
        run_of(tmp_path / "c", [0, 0, 1, 1], 1, transfers=False),
    ]
    table = annecs_table(runs)
    assert annecs_by_generation(runs[1]).annecs.tolist() == [0, 0, 2, 4]
    (ax,) = figure_annecs(runs, table).axes
    thick = {
        line.get_label(): np.asarray(line.get_ydata()).tolist()
        for line in ax.lines
        if line.get_linewidth() > 2
    }
    assert thick == {
        "with transfers": [0, 0.5, 2, 3],
        "without transfers": [0, 0, 1, 1],
    }
    files = write_figures_annecs(runs, tmp_path / "out")
    assert [file.name for file in files] == ["annecs.png", "annecs.svg", "annecs.csv"]


def test_a_run_whose_tasks_stay_gets_no_such_figures(tmp_path: Path) -> None:
    write_run(tmp_path / "run", [start(), evaluation(0, entry("b", "held_out", [0.5]))])
    run = open_run(tmp_path / "run")
    assert write_figures_environments(run, tmp_path) == []
    assert write_figures_annecs([run], tmp_path) == []


def test_damaged_tables_are_refused(tmp_path: Path) -> None:
    write_tables(tmp_path)
    (tmp_path / TRANSFERS_NAME).write_bytes(b"PAR1")
    with pytest.raises(UsageError, match=r"transfers\.parquet is missing or damaged"):
        read_evolved(tmp_path)
    (tmp_path / TRANSFERS_NAME).unlink()
    with pytest.raises(UsageError, match=r"transfers\.parquet is missing or damaged"):
        read_evolved(tmp_path)
    write_tables(tmp_path)
    pd.read_parquet(tmp_path / ENVIRONMENTS_NAME)[:2].to_parquet(tmp_path / ENVIRONMENTS_NAME)
    with pytest.raises(UsageError, match=r"lacks environments that are named elsewhere \(\['e2'"):
        read_evolved(tmp_path)
    pd.DataFrame({"environment": ["e0"]}).to_parquet(tmp_path / ENVIRONMENTS_NAME)
    with pytest.raises(UsageError, match="lacks the columns"):
        read_evolved(tmp_path)
