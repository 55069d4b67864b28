from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from analysis.page.again import Origin
from analysis.page.contents import contents_of
from analysis.page.making import MOST_BYTES, page_of
from analysis.store import open_run
from evoplastic.checks import UsageError
from tests.analysis import free_runs, runs
from tests.analysis.page.test_latex import renamed

HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m&{{ 7*7 }}"
ALONE = Origin(None, {}, (), "seed: 5\n")


class Reader(HTMLParser):
    """Elements with their attributes, and the scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attrs for name, attrs in self.elements if name == tag]


def page(*folders: Path, origin: Origin = ALONE) -> str:
    contents = contents_of([open_run(folder) for folder in folders])
    return page_of(contents, {run.run_id: origin for run in contents.runs})


def numbers(text: str) -> list[Any]:
    """What the scripts of the figures read."""
    found = re.findall(r'<script type="application/json" class="numbers">(.*?)</script>', text)
    return [json.loads(each) for each in found]


def test_the_page_holds_all_it_needs_and_names_no_place(tmp_path: Path) -> None:
    text = page(runs.write_run(tmp_path / "run", runs.whole_run()))
    read = Reader(text)
    assert not [attrs for _, attrs in read.elements if "src" in attrs]
    assert [attrs["href"] for attrs in read.all("link")] == ["data:,"]
    assert not read.all("a")
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
    assert str(tmp_path) not in text
    assert "evoplastic report small-5 --store URI" in text


def test_every_figure_is_told_in_words(tmp_path: Path) -> None:
    text = page(runs.write_run(tmp_path / "run", runs.whole_run()))
    drawn = [each for each in Reader(text).all("svg") if "aria-label" in each]
    assert len(drawn) == 5  # dms and `and` by generation, both at once, and within a lifetime
    assert drawn[0]["aria-label"] == (
        "Share correct by generation on dms (held out). dms: 45.0 % at generation 0, 75.0 % at "
        "generation 4; plasticity off: 45.0 % at generation 0, 45.0 % at generation 4; random "
        "genome: 60.0 % at generation 0, 60.0 % at generation 4; chance 50.0 %; best fixed policy "
        "62.5 %."
    )


def test_scripts_read_the_numbers_of_the_tables(tmp_path: Path) -> None:
    lines, tasks, lives = numbers(page(runs.write_run(tmp_path / "run", runs.whole_run())))
    (dms, *_), (last, *_) = lines[0]["series"], reversed(tasks["dots"])
    assert (dms["x"], dms["y"], dms["low"][-1]) == ([0, 2, 4], [0.45, 0.575, 0.75], 0.675)
    assert tasks["names"] == ["generation 0", "generation 2", "generation 4"]
    assert last[0][4] == "75.0 % (68 to 82)"
    assert lives[0]["series"][0]["x"][-1] == runs.NUM_TRIALS


def test_what_users_name_is_text(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", renamed(runs.whole_run(), HOSTILE))
    origin = Origin("laptop", {HOSTILE: (HOSTILE, HOSTILE)}, (HOSTILE,), HOSTILE)
    text = page(run, origin=origin)
    assert not Reader(text).all("img")
    assert "\x1b" not in text
    assert "{{ 7*7 }}" in text
    assert numbers(text)[0][0]["series"][0]["label"] == HOSTILE


def of_suites(folder: Path, seeds: tuple[int, ...]) -> list[Path]:
    """Runs of two settings, which name a file and a genome."""
    made = []
    for number, (name, seed) in enumerate((name, seed) for name in "ab" for seed in seeds):
        run = folder / f"r{number}"
        written = runs.whole_run(seed, 0.0 if name == "a" else -0.05)
        runs.write_run(run, [runs.start(seed, f"small-{number}"), *written[1:]])
        config = run / "config.resolved.yaml"
        config.write_text(config.read_text() + f"suite: /home/me/{name}.yaml\n")
        made.append(run)
    return made


def test_settings_are_tested_over_seeds_and_named_without_places(tmp_path: Path) -> None:
    text = page(*of_suites(tmp_path, (1, 2, 3)))
    assert "/home/me" not in text
    assert str(tmp_path) not in text
    assert "suite=b.yaml minus suite=a.yaml" in text
    assert "<td>3 pairs</td>" in text
    alone = page(*of_suites(tmp_path / "alone", (1,)))
    assert "Not tested: a test needs at least two settings of 2 seeds each." in alone
    assert str(tmp_path) not in alone


def test_equal_runs_make_equal_pages(tmp_path: Path) -> None:
    made = [runs.write_run(tmp_path / name, runs.whole_run()) for name in ("here", "there")]
    assert page(made[0]) == page(made[1])


@pytest.mark.exhaustive
def test_many_tasks_stay_below_the_limit(tmp_path: Path) -> None:
    run = runs.write_run(tmp_path / "run", free_runs.whole_run(free_runs.many(40, 12)))
    text = page(run)
    assert len(text.encode()) < MOST_BYTES / 2
    assert "10 more tasks are in the table alone." in text


def test_what_cannot_be_reported_is_refused(tmp_path: Path) -> None:
    first = runs.write_run(tmp_path / "first", runs.whole_run())
    empty = runs.write_run(tmp_path / "empty", [runs.start(), runs.generation(0)])
    with pytest.raises(UsageError, match="no evaluation on record yet"):
        page(empty)
    with pytest.raises(UsageError, match="small-5; name each run once"):
        page(first, first)
    other = runs.write_run(tmp_path / "other", free_runs.whole_run(free_runs.TWO, seed=6))
    with pytest.raises(UsageError, match=r"different tasks \(dms, and; yang19.ctxdlydm1"):
        page(first, other)
