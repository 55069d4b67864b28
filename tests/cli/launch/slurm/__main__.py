"""Run the tests on a Slurm of this machine, in a network that holds nothing but itself.

    python -m tests.cli.launch.slurm [words for pytest]

Slurm and munge come from Debian's packages, installed here if that is allowed. Slurm's daemons and
Ray listen on every interface there is, so there is the loopback interface alone (`unshare --net`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "slurmctld": "slurm-wlm",
    "munged": "munge",
    "shellcheck": "shellcheck",
    "ip": "iproute2",
    "unshare": "util-linux",
}
# A name is looked up only where there is an address beyond the loopback range. The shell stays, as
# the first of its processes: whoever is left behind by others becomes its child, and it waits.
# Munge's socket lies in a folder of this run's own.
ALONE = (
    "ip link set lo up && ip addr add 10.99.0.1/32 dev lo && mkdir -p /run/munge && "
    'mount -t tmpfs tmpfs /run/munge && "$@"; exit $?'
)
APART = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


def main(words: list[str]) -> int:
    """Exit code of pytest; 3 where Slurm is not to be had."""
    missing = sorted({PROGRAMS[name] for name in PROGRAMS if shutil.which(name) is None})
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0:
        print("Slurm's daemons change users: run `make test-slurm` as root", file=sys.stderr)
        return 3
    if missing and shutil.which("apt-get") is None:
        print(f"these programs are missing: {', '.join(missing)}; install them", file=sys.stderr)
        return 3
    if missing:
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-qq"], [*install, "-qq"]):
            print("$", *command, flush=True)
            subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)
    pytest = [sys.executable, "-m", "pytest", "-m", "slurm", "-n", "0", "tests/cli/launch/slurm"]
    pytest += ["-o", "faulthandler_timeout=900"]  # a test waits for Slurm, which takes its time
    return subprocess.run([*APART, "bash", "-c", ALONE, "bash", *pytest, *words]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
