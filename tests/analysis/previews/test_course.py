"""The picture of a stream shows its parts and probes where they are."""

from __future__ import annotations

import pytest

from analysis.previews.course import course_preview
from evoplastic.checks import UsageError
from tasks.suites.streams.laying import lay_stream
from tasks.two_stimulus.task import TwoStimulusTask

TABLES = [TwoStimulusTask(name).trials() for name in ("and", "or")]


def test_parts_are_bars_and_probes_thin_ones() -> None:
    figure = course_preview(lay_stream("aba", TABLES, (0, 1, 0), (8, 6, 4), 2))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["and", "or"]
    spans = []
    for bars in axes.collections:
        corners = [path.get_extents() for path in bars.get_paths()]
        spans.append([(box.x0, box.x1, round(box.height, 3)) for box in corners])
    assert spans == [
        [(4, 12, 0.8), (26, 30, 0.8)],
        [(0, 2, 0.3), (12, 14, 0.3), (22, 24, 0.3), (30, 32, 0.3)],
        [(16, 22, 0.8)],
        [(2, 4, 0.3), (14, 16, 0.3), (24, 26, 0.3), (32, 34, 0.3)],
    ]


def test_what_is_no_stream_is_refused() -> None:
    with pytest.raises(UsageError, match="task 'and' is no stream"):
        course_preview(TABLES[0])
