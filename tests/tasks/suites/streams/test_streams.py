"""Streams in suites: what is laid out, what a lifetime meets, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evoplastic.checks import UsageError
from evoplastic.trials.order import TrialStreams, trial_numbers
from evoplastic.trials.stacked import stack_tables
from tasks.suites.levels import fixed_policy_level
from tasks.suites.loading import load_suite
from tasks.suites.suite import Suite

FIXED, SELF_PACED = "pacing: fixed_timing\n", "pacing: self_paced\n"
BOUND = "{task: meta/independent-bandit, name: bandit}"


def _suite(
    tmp_path: Path, train: str, held_out: str, head: str = "pacing: fixed_timing\n"
) -> Suite:
    path = tmp_path / "mine.yaml"
    path.write_text(f"name: mine\n{head}train: [{train}]\nheld_out: [{held_out}]\n")
    return load_suite(path)


def test_parts_and_probes_follow_one_another(tmp_path: Path) -> None:
    stream = "{stream: [and, watchstim1, and], trials: [6, 5, 3], probes: 2, name: aba}"
    suite = _suite(tmp_path, stream, "dms")
    course = suite.trials_of("aba", 0, 1).course  # type: ignore[union-attr]
    assert course is not None
    assert (course.parts, course.tasks) == (
        ("birth", "and", "watchstim1", "and"),
        ("and", "watchstim1"),
    )
    rows = zip(course.part_K, course.task_K, course.probe_K, strict=True)
    assert [(int(part), int(task), bool(probe)) for part, task, probe in rows] == [
        *[(0, task, True) for task in (0, 0, 1, 1)],
        *[(1, 0, False)] * 6,
        *[(1, task, True) for task in (0, 0, 1, 1)],
        *[(2, 1, False)] * 5,
        *[(2, task, True) for task in (0, 0, 1, 1)],
        *[(3, 0, False)] * 3,
        *[(3, task, True) for task in (0, 0, 1, 1)],
    ]
    assert suite.task("aba").num_trials == course.num_trials == 30  # type: ignore[attr-defined]


def test_self_paced_parts_go_on_where_their_task_was_left(tmp_path: Path) -> None:
    stream = f"{{stream: [{BOUND}, meta/reversal-bandit, {BOUND}], trials: 7, probes: 2, name: s}}"
    suite = _suite(tmp_path, stream, "meta/dependent-bandit", SELF_PACED)
    table = suite.trials_of("s", 3, 400)
    course = table.course  # type: ignore[union-attr]
    many = TrialStreams(np.zeros(50, dtype=np.int64), np.arange(50), seed=1, epoch=0)
    stacked = stack_tables([table])  # type: ignore[list-item]
    number_PK = np.stack([trial_numbers(many, stacked, k) for k in range(37)], axis=1)
    for task in range(2):
        own = course.task_K == task  # type: ignore[union-attr]
        start, size = course.start_K[own][0], course.size_K[own][0]  # type: ignore[union-attr]
        assert (np.diff(number_PK[:, own] - start, axis=1) % size == 1).all()
        assert len(set(number_PK[:, own][:, 0].tolist())) > 1


def test_a_held_out_task_within_a_training_stream_is_a_leak(tmp_path: Path) -> None:
    stream = "{stream: [and, dms], trials: 9, probes: 2}"
    with pytest.raises(UsageError, match=r"'dms' asks the same as .*'dms' of stream 'and-dms'"):
        _suite(tmp_path, stream, "dms")
    with pytest.raises(UsageError, match=r"'nand' of stream 'or-nand' asks the same with .* 'and'"):
        _suite(tmp_path, "and", "{stream: [or, nand], trials: 9, probes: 2}")


def test_levels_of_a_stream_are_those_of_its_tasks(tmp_path: Path) -> None:
    held_out = "{stream: [dms, watchstim2], trials: 9, probes: 2, name: s}"
    suite = _suite(tmp_path, "or", held_out)
    assert fixed_policy_level(suite, "s") == 0.5 * (0.25 + 0.75)
    both = "{stream: [dms, dnms, dms], trials: 9, probes: 2, name: s}"  # no policy is right in both
    assert fixed_policy_level(_suite(tmp_path, "and, or", both), "s") == 0.5
    assert suite.task("s").levels().chance.accuracy == 0.5
    assert "9 trials of dms" in suite.task("s").description


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ("{stream: [and, nay], trials: 9, probes: 2}", "unknown task in a stream in train"),
        ("{stream: [and], trials: 9, probes: 2}", r"has 1 part\(s\), expected at least 2"),
        ("{stream: [and, or], trials: [9, 9, 9], probes: 2}", "2 parts and 3 numbers of trials"),
        ("{stream: [and, or], trials: [9, 0], probes: 2}", "a part of 0 trials"),
        ("{stream: [and, or], trials: 9, probes: 0}", "0 probes, expected at least 1"),
        ("{stream: [and, or], trials: 9}", "probes: None, expected a whole number"),
        ("{stream: [and, or], probes: 9}", "trials: None, expected a whole number for each part"),
        ("{stream: and, trials: 9, probes: 2}", "is 'and', expected a list of tasks"),
        ("{stream: [and, or], trials: 9, probe: 2}", "key of .* 'probe'"),
        ("{stream: [and, and-none-pro-a], trials: 9, probes: 2}", "differ in interface"),
    ],
)
def test_what_is_no_stream_is_refused(tmp_path: Path, stream: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _suite(tmp_path, stream, "dms")


def test_mixed_timing_is_refused() -> None:
    from tasks.neurogym.task import SelfPacedTask
    from tasks.suites.streams.task import StreamTask
    from tasks.two_stimulus.task import TwoStimulusTask

    tasks = (TwoStimulusTask("and"), SelfPacedTask(name="go", source="yang19.go"))
    with pytest.raises(UsageError, match="mixes 'and' and 'go', which differ in pacing"):
        StreamTask(name="s", tasks=tasks, order=(0, 1), lengths=(5, 5), probes=1)


def test_our_streams_are_sound() -> None:
    suite = load_suite("streams")
    assert {task.num_trials for task in suite.tasks} == {530}  # type: ignore[attr-defined]
    assert suite.interface.num_inputs == 2
