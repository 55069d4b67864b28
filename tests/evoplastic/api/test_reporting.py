from __future__ import annotations

from pathlib import Path

import pytest

import evoplastic as ep
from analysis.store import open_run
from evoplastic.api.reporting import origin_of
from evoplastic.checks import EnvironmentFault, UsageError
from tests.analysis import runs
from tests.cluster.tracking.page import long_runs


def test_a_run_of_a_recipe_is_told_by_what_differs_from_it(tmp_path: Path) -> None:
    changes = ("search.sigma=0.05", "lifetime.num_trials=300")
    origin = origin_of(open_run(long_runs.write(tmp_path / "run", 7, 10, changes)))
    assert origin.recipe == "miconi2023"
    assert origin.changes == {"lifetime.num_trials": (400, 300), "search.sigma": (0.03, 0.05)}
    assert origin.overrides == ("lifetime.num_trials=300", "search.sigma=0.05")
    assert "tracking" not in origin.settings


def test_settings_of_no_recipe_are_kept_without_places(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    config = run / "config.resolved.yaml"
    config.write_text(config.read_text() + "suite: /home/me/own.yaml\n")
    origin = origin_of(open_run(run))
    assert origin.recipe is None
    assert "suite: own.yaml" in origin.settings


def test_the_files_are_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    out = tmp_path / "made" / "report.html"
    made = ep.report(run, out=out, latex=out.with_name("t.tex"), to_mlflow=False)
    assert [file.name for file in made.files] == ["report.html", "t.tex"]
    assert made.run_ids == ("small-5",)
    assert made.story in out.read_text()
    assert sorted(file.name for file in out.parent.iterdir()) == ["report.html", "t.tex"]

    monkeypatch.setenv("PATH", str(tmp_path))  # where no browser is
    other = tmp_path / "other"
    with pytest.raises(EnvironmentFault, match="apt install chromium"):
        ep.report(run, out=other / "report.html", pdf=True, to_mlflow=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot write"):
        ep.report(run, out=other / "r.html", latex=tmp_path / "file" / "t.tex", to_mlflow=False)
    assert not list(other.iterdir())
    other.rmdir()
    empty = runs.write_run(tmp_path / "empty", [runs.start()])
    with pytest.raises(UsageError, match="has evaluated a center yet"):
        ep.report(empty, out=other / "report.html", to_mlflow=False)
    assert not other.exists()
    made = ep.report(run, empty, out=other / "report.html", to_mlflow=False)
    assert made.run_ids == ("small-5",)
    assert [Path(each.split()[0]) for each in made.left_out] == [empty]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"out": "report.txt"}, "ends in .html"),
        ({"latex": "table.txt"}, "ends in .tex"),
        ({"out": "folder.html"}, "is a folder"),
    ],
)
def test_names_that_no_report_can_have_are_refused(
    words: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.html").mkdir()
    run = runs.write_run(tmp_path / "run", runs.whole_run())
    with pytest.raises(UsageError, match=message):
        ep.report(run, to_mlflow=False, **words)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no run given"):
        ep.report(to_mlflow=False)
