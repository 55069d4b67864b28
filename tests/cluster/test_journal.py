from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.journal import Journal, now_ms, read_journal
from evoplastic.checks import EnvironmentFault, UsageError
from evoplastic.records.events import Event, ResumeEvent
from tests.cluster.written_runs import evaluation, generation, start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.ndjson"


@contextmanager
def room_for(num_bytes: int) -> Iterator[None]:
    """As on a disk that is almost full: no file may grow beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_appended_is_read(path: Path) -> None:
    events: list[Event] = [start(), generation(0), evaluation(1)]
    with Journal.open(path) as journal:
        assert all(journal.append(event) for event in events)
    read, offset = read_journal(path)
    assert read == events
    assert offset == path.stat().st_size


def test_reading_in_steps_meets_every_event_once(path: Path) -> None:
    events: list[Event] = [start(), *(generation(number) for number in range(7))]
    with Journal.open(path) as journal:
        for event in events:
            journal.append(event)
    read: list[Event] = []
    offset = 0
    while True:
        part, offset = read_journal(path, offset, 3)
        if not part:
            break
        assert len(part) <= 3
        read += part
    assert read == events


def test_every_torn_line_is_cut_off_and_nothing_else(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The last line cut at each of its bytes, as by a crash."""
    with Journal.open(path) as journal:
        journal.append(start())
        kept = path.stat().st_size
        journal.append(generation(0))
    whole = path.read_bytes()
    for length in range(kept, len(whole)):
        path.write_bytes(whole[:length])
        assert read_journal(path) == ([start()], kept)
        caplog.clear()
        with Journal.open(path) as journal:
            assert path.stat().st_size == kept
            assert journal.events_at_opening == [start()]
            assert journal.append(generation(0))
        assert path.read_bytes() == whole
        torn = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
        assert len(torn) == (length > kept), torn
        assert all(str(path) in message for message in torn)


def test_zeros_after_a_power_loss_are_cut_off(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append(start())
    with path.open("ab") as file:
        file.write(b"\0" * 4096)
    with Journal.open(path) as journal:
        assert journal.events_at_opening == [start()]


def test_a_damaged_line_is_named(path: Path) -> None:
    with Journal.open(path) as journal:
        for event in (start(), generation(0), generation(1)):
            journal.append(event)
    content = path.read_bytes()
    place = content.index(b'"generation"')
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    with pytest.raises(UsageError, match=r"journal\.ndjson, line 2 .*holds no event"):
        read_journal(path)
    with pytest.raises(UsageError, match="line 2"):
        Journal.open(path)


def test_a_generation_lived_again_is_recorded_once_with_its_first_timestamp(path: Path) -> None:
    with Journal.open(path) as journal:
        for event in (start(), evaluation(0), generation(0), generation(1)):
            journal.append(event)
    with Journal.open(path) as journal:
        assert journal.append(ResumeEvent(time_ms=9, generation=1))
        assert not journal.append(generation(1, shift_ms=50_000))
        assert not journal.append(evaluation(0))
        assert journal.append(generation(2))
        assert not journal.append(generation(2)), "within one process too"
        assert journal.append(ResumeEvent(time_ms=10, generation=1)), "each resume happened"
    events, _ = read_journal(path)
    assert [event for event in events if event == generation(1)] == [generation(1)]
    assert generation(1, shift_ms=50_000) not in events


def test_a_reader_beside_the_writer_sees_whole_events_only(path: Path) -> None:
    code = (
        "from pathlib import Path; from cluster.journal import Journal\n"
        "from tests.cluster.written_runs import generation, start\n"
        f"journal = Journal.open(Path({str(path)!r})); journal.append(start())\n"
        "for number in range(100): journal.append(generation(number))"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as writer:
        deadline = time.monotonic() + 60
        seen, offset = 0, 0
        while writer.poll() is None or offset < path.stat().st_size:
            assert time.monotonic() < deadline
            if path.is_file():
                events, offset = read_journal(path, offset)
                seen += len(events)
            time.sleep(0.001)
    assert writer.returncode == 0
    assert seen == 101


def test_a_killed_writer_loses_no_event_that_was_appended(path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from cluster.journal import Journal\n"
        "from tests.cluster.written_runs import generation, start\n"
        f"journal = Journal.open(Path({str(path)!r})); journal.append(start())\n"
        "for number in range(5): journal.append(generation(number))\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -9
    assert len(read_journal(path)[0]) == 6


def test_a_full_disk_leaves_the_journal_as_it_was(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append(start())
        before = path.read_bytes()
        with room_for(len(before) + 40), pytest.raises(EnvironmentFault, match="make room"):
            journal.append(generation(0))
        assert path.read_bytes() == before
        assert journal.append(generation(0)), "there is room again"
    assert read_journal(path)[0] == [start(), generation(0)]


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Neither to write there, nor to cut off what looks like a torn line."""
    path, target = tmp_path / "journal.ndjson", tmp_path / "elsewhere"
    target.write_text("no line feed at its end")
    path.symlink_to(target)
    with pytest.raises(UsageError, match="is a link"):
        Journal.open(path)
    assert target.read_text() == "no line feed at its end"


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(EnvironmentFault, match="cannot write the journal /proc/journal"):
        Journal.open(Path("/proc/journal.ndjson"))


def test_no_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no journal at"):
        read_journal(tmp_path / "journal.ndjson")


def test_time_is_in_milliseconds() -> None:
    before, now, after = time.time(), now_ms() / 1000, time.time()
    assert before - 0.001 <= now <= after


def test_descriptors_are_given_back(path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with Journal.open(path):
            pass
    assert len(os.listdir("/proc/self/fd")) == before
