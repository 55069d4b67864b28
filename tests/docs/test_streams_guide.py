"""The suite of the guide to streams is a suite, and its numbers are those that are told."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.suites.loading import load_suite

GUIDE = Path(__file__).parents[2] / "docs" / "streams.md"


def test_the_suite_of_the_guide_has_the_lengths_that_are_told(tmp_path: Path) -> None:
    text = GUIDE.read_text()
    (block,) = re.findall(r"```yaml streams\.yaml\n(.*?)```", text, flags=re.DOTALL)
    (told,) = re.findall(r"Each of the five streams above has (\d+)\.", text)
    path = tmp_path / "streams.yaml"
    path.write_text(block)
    suite = load_suite(path)
    assert [task.num_trials for task in suite.tasks] == [int(told)] * 5  # type: ignore[attr-defined]
