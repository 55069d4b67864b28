"""What is understood of --workers and its companions, and what is refused in which words."""

from __future__ import annotations

from typing import Any

import pytest

from cluster.workers.staffing.request import WorkerRequest, as_request, parse_workers
from evoplastic.checks import UsageError


@pytest.mark.parametrize(
    ("words", "least", "most"),
    [
        ("4", 1, 4),
        (4, 1, 4),
        ("2-8", 2, 8),
        (" 2 - 8 ", 2, 8),
        ("3-3", 3, 3),
        ("max", 1, "max"),
        (None, 1, "max"),
        ("num_gpus", 1, "num_gpus"),
    ],
)
def test_words_are_understood(words: object, least: int, most: object) -> None:
    request = parse_workers(words)
    assert (request.least, request.most) == (least, most)


@pytest.mark.parametrize(
    ("words", "settings", "message"),
    [
        ("0", {}, "--workers is 0, expected at least 1"),
        (-1, {}, "--workers is -1, expected at least 1"),
        ("8-2", {}, "--workers is 8-2, expected the smaller number first"),
        ("0-2", {}, "expected at least 1 worker process"),
        ("all", {}, "--workers is 'all', expected N"),
        ("2-", {}, "expected N"),
        (2.5, {}, "--workers is 2.5, expected a whole number"),
        (True, {}, "--workers is True, expected a whole number"),
        ("2", {"gpus_per_worker": -1.0}, "--gpus-per-worker is -1, expected 0"),
        ("2", {"gpus_per_worker": float("nan")}, "--gpus-per-worker is nan"),
        ("2", {"gpus_per_worker": 1.5}, "expected a fraction of one GPU or whole GPUs; take 2"),
        ("num_gpus", {"gpus_per_worker": 2.0}, "one worker for each GPU"),
        ("2", {"cpus_per_worker": 0}, "--cpus-per-worker is 0, expected at least 1"),
        ("2", {"wait_s": -1.0}, "--wait-for-workers is -1.0 s"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    words: object, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        parse_workers(words, **settings)


def test_no_workers_are_none_and_an_address_asks_for_some() -> None:
    request = WorkerRequest(least=2, most=3)
    assert as_request(0, None) is None
    assert as_request("0", None) is None
    assert as_request(0, "10.0.0.1:6379") == WorkerRequest()
    assert as_request(None, "10.0.0.1:6379") == WorkerRequest()
    assert as_request("2-3", None) == request
    assert as_request(request, None) is request
    with pytest.raises(UsageError, match="False, expected a whole number"):
        as_request(False, None)


def test_a_run_that_names_no_workers_is_one_process() -> None:
    """Words of the command line come as None, too, and start no Ray."""
    for workers in (None, 0, "0"):
        assert as_request(workers, None) is None
