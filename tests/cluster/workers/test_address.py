"""Which cluster an address means, and what is said where none answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from cluster.workers import address, inquiry
from evoplastic.checks import UsageError


@contextmanager
def server(answer: bytes | None) -> Iterator[str]:
    """Something that listens on the loopback interface and gives one answer, or none at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    held.append(connection)
                    if answer is not None:
                        connection.recv(1024)
                        connection.sendall(answer)
                    if answer is not None and answer.startswith(b"HTTP"):
                        connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in held:
            connection.close()


def test_what_was_typed_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert address.meant(None) is None
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert address.meant(None) == "10.0.0.1:6379"
    assert address.meant("10.0.0.2:6379") == "10.0.0.2:6379"
    assert address.meant("local") is None
    monkeypatch.setenv("RAY_ADDRESS", "local")
    assert address.meant(None) is None
    assert address.meant("auto") == "auto"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nonsense", "expected HOST:PORT, 'auto' or 'local'"),
        ("127.0.0.1:99999", "expected HOST:PORT"),
        ("10.0.0.1", "expected HOST:PORT"),
        ("ray://10.0.0.1:10001", r"Ray Client.*10\.0\.0\.1:6379.*ray job submit"),
        ("http://10.0.0.1:8265", r"dashboard.*10\.0\.0\.1:6379"),
    ],
)
def test_what_is_no_address_is_refused_by_name(word: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        address.reach(word)


def test_nothing_that_listens_something_else_and_silence_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inquiry, "CONNECT_TIMEOUT_S", 0.3)
    with server(None) as silent, pytest.raises(UsageError, match="says nothing for"):
        address.reach(silent)
    with pytest.raises(UsageError, match="nothing listens there"):
        address.reach(silent)
    with (
        server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as web,
        pytest.raises(UsageError, match="is not Ray: it does not speak gRPC"),
    ):
        address.reach(web)


def test_an_address_of_the_environment_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UsageError, match=r"'127\.0\.0\.1:1' \(RAY_ADDRESS\): nothing listens"):
        address.reach("127.0.0.1:1")


FOUND: list[tuple[dict[str, Any], str]] = [
    ({"state": "token missing"}, "wants a token, and none is at hand; give its token in RAY_AUTH"),
    ({"state": "token wrong"}, r"refuses the token that is at hand \(from RAY_AUTH_TOKEN\)"),
    ({"state": "token disabled"}, "RAY_AUTH_MODE=disabled is set here; unset it"),
    ({"state": "stale", "address": "10.0.0.1:6379"}, r"at 10\.0\.0\.1:6379, and it is gone"),
    ({"state": "none"}, "and none does; start one"),
    ({"state": "several", "addresses": ["a:1", "b:2"]}, "one of --address a:1 or b:2"),
    ({"state": "mute"}, "does not answer as Ray within"),
    ({"state": "else", "said": "UNIMPLEMENTED"}, r"is not Ray \(UNIMPLEMENTED\)"),
    (
        {"state": "cluster", "address": "10.0.0.1:6379", "here": False},
        r"none of its nodes.*`ray start --address=10\.0\.0\.1:6379`",
    ),
    (
        {"state": "cluster", "here": True, "ray": "2.9", "our_ray": "2.60", "python": "3.10.1"},
        r"runs Ray 2\.9 with Python 3\.10\.1, here it is Ray 2\.60",
    ),
]


@pytest.mark.parametrize(("said", "message"), FOUND, ids=[str(said["state"]) for said, _ in FOUND])
def test_each_way_not_to_find_a_cluster_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, Any], message: str
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "ab" * 32)
    monkeypatch.setattr(address, "inquire", lambda _: said)
    with pytest.raises(UsageError, match=message):
        address.reach("auto")


@pytest.mark.cluster
def test_what_speaks_as_ray_does_and_never_answers_is_given_up() -> None:
    settings = bytes([0, 0, 0, inquiry.SETTINGS, 0, 0, 0, 0, 0])
    with server(settings) as mute, pytest.raises(UsageError, match="does not answer as Ray"):
        address.reach(mute)
