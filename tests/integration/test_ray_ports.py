"""A cluster of our own listens on this machine alone, and lets nobody in without its token."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.cluster

LIMIT_S = 180
DRIVER = """
import json, os, subprocess, sys
import psutil, ray
from cluster.workers.ray_cluster import connect
connect(1, None)
ray.get(ray.remote(lambda: 1).remote())
ours = psutil.Process().children(recursive=True)
listening = sorted({
    (process.name(), place.laddr.ip)
    for process in [psutil.Process(), *ours] if process.status() != psutil.STATUS_ZOMBIE
    for place in process.net_connections(kind="inet")
    if place.status == psutil.CONN_LISTEN
})
address = ray.get_runtime_context().gcs_address
code = (
    "import ray\\n"
    f"try:\\n    ray.init(address={address!r}, logging_level=50, log_to_driver=False)\\n"
    "    print('let in')\\n"
    "except ConnectionError:\\n    print('refused')"
)
plain = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
plain["HOME"] = sys.argv[1]
answers = {}
for name, extra in {
    "without": {"RAY_AUTH_MODE": "disabled"},
    "another": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "ab" * 32},
    "the token": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": os.environ["RAY_AUTH_TOKEN"]},
}.items():
    done = subprocess.run([sys.executable, "-c", code], env=plain | extra, capture_output=True,
                          text=True, timeout=60)
    answers[name] = done.stdout.strip()
ray.shutdown()
print(json.dumps({"listening": listening, "answers": answers}))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Where a cluster listens and whom it lets in, seen from a driver of its own."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path_factory.mktemp("home"))],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_every_process_listens_on_loopback_alone(found: dict[str, object]) -> None:
    listening = found["listening"]
    assert isinstance(listening, list)
    names = {name for name, _ in listening}
    assert {"gcs_server", "raylet"} <= names, names
    assert {ip.removeprefix("::ffff:") for _, ip in listening} == {"127.0.0.1"}


def test_the_token_is_enforced(found: dict[str, object]) -> None:
    assert found["answers"] == {"without": "refused", "another": "refused", "the token": "let in"}
