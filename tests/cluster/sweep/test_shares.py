"""How runs share the cores, or a cluster."""

from __future__ import annotations

import pytest

from cluster.sweep import shares
from cluster.sweep.shares import share_of
from cluster.workers.staffing.request import parse_workers
from evoplastic.checks import UsageError


@pytest.mark.parametrize(
    ("runs", "at_once", "workers", "address", "expected"),
    [
        (20, None, None, None, 8),
        (3, None, None, None, 3),
        (20, 2, None, None, 2),
        (20, None, "2", None, 4),
        (20, None, "1-4", None, 2),
        (20, None, "max", None, 1),
        (20, None, "num_gpus", None, 1),
        (20, None, "16", None, 1),
        (20, None, None, "head:6379", 1),
        (20, 3, "4", "head:6379", 3),
    ],
)
def test_runs_at_once_follow_from_cores_and_workers(
    monkeypatch: pytest.MonkeyPatch,
    runs: int,
    at_once: int | None,
    workers: str | None,
    address: str | None,
    expected: int,
) -> None:
    monkeypatch.setattr(shares, "usable_cores", lambda: 8)
    request = parse_workers(workers) if workers is not None else None
    assert share_of(runs, at_once, workers=request, address=address).at_once == expected


def test_a_machine_of_many_cores_and_little_memory_has_fewer_runs_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "usable_cores", lambda: 64)
    monkeypatch.setattr(shares, "memory_bytes", lambda: 16 * 10**9)
    share = share_of(200, None, workers=None, address=None)
    assert (share.at_once, share.threads(200)) == (16, 4)
    assert share_of(200, 40, workers=None, address=None).at_once == 40, "what is said holds"


def test_the_last_runs_have_the_cores_of_those_that_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "usable_cores", lambda: 8)
    share = share_of(5, 4, workers=None, address=None)
    assert [share.threads(unfinished) for unfinished in (5, 4, 3, 2, 1)] == [2, 2, 2, 4, 8]


def test_two_runs_that_each_take_a_whole_cluster_are_refused() -> None:
    with pytest.raises(UsageError, match="say with --workers how many each of them gets"):
        share_of(4, 2, workers=parse_workers("max"), address="head:6379")


def test_a_gpu_has_one_run_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    share = share_of(9, None, workers=None, address=None, on_gpu=True)
    assert (share.at_once, [share.device(slot) for slot in (0, 1)]) == (2, ["2", "5"])
    more = share_of(9, 4, workers=None, address=None, on_gpu=True)
    assert [more.device(slot) for slot in range(4)] == ["2", "5", "2", "5"]
    workers = parse_workers("2")
    assert share_of(9, None, workers=workers, address=None, on_gpu=True).device(0) is None
    assert share_of(9, None, workers=None, address=None).device(0) is None
