"""A Slurm of two nodes on this machine: its daemons, and what one asks of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=cred_expire=10
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=1,sched_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=20
MpiDefault=none
ReturnToService=2
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port=16818 CPUs=2 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port=16819 CPUs=2 State=UNKNOWN
PartitionName=low Nodes=n1,n2 Default=YES MaxTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=2
PartitionName=high Nodes=n1,n2 MaxTime=60 PriorityTier=10 PreemptMode=OFF
"""
OVER = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL")
NODES = ("sinfo", "--noheader", "--Node", "--partition=low", "--format=%T")
POLL_S = 0.5


class Slurm:
    """A context: daemons run within it. A requeued job waits ten seconds (`cred_expire`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        self._munged: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Slurm:
        (self.folder / "state").mkdir()
        text = CONFIGURATION.format(host=socket.gethostname(), folder=self.folder)
        (self.folder / "slurm.conf").write_text(text)
        for place in ("/run/munge", "/var/log/munge", "/etc/munge"):
            os.makedirs(place, mode=0o755, exist_ok=True)
            shutil.chown(place, "munge", "munge")
        shutil.chown("/etc/munge/munge.key", "munge", "munge")
        munged = [
            "su",
            "-s",
            "/bin/sh",
            "munge",
            "-c",
            "exec /usr/sbin/munged --foreground --force",
        ]
        self._munged = subprocess.Popen(
            munged, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.wait_for(lambda: Path("/run/munge/munge.socket.2").exists(), 30)
        self.ask("slurmctld")
        for node in ("n1", "n2"):
            self.ask("slurmd", "-N", node)
        self.wait_for(lambda: self.ask(*NODES).split() == ["idle", "idle"], 60)
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("scancel", "--full", "--user=root")
        for file in sorted(self.folder.glob("slurm*.pid")):
            os.kill(int(file.read_text()), 15)
        if self._munged is not None:
            self._munged.terminate()
            self._munged.wait(timeout=30)

    def ask(self, *words: object, cwd: Path | None = None) -> str:
        """What a command prints."""
        told = subprocess.run(
            [str(word) for word in words],
            env=self.environment,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert told.returncode == 0, f"{words}: {told.stdout}\n{self.logs()}"
        return told.stdout

    def submit(self, file: Path, *options: str) -> int:
        """Number of a job; it is submitted from the folder of its file."""
        said = self.ask("sbatch", "--parsable", *options, file, cwd=file.parent)
        return int(said.split(";")[0])

    def field(self, job: object, name: str) -> str:
        """One field of what Slurm knows of a job."""
        shown = self.ask("scontrol", "show", "job", job, "--oneliner")
        return next(w for w in shown.split() if w.startswith(f"{name}=")).partition("=")[2]

    def wait_until_over(self, job: object, seconds: float) -> str:
        """The state in which a job ended."""
        self.wait_for(lambda: self.field(job, "JobState") in OVER, seconds)
        return self.field(job, "JobState")

    def wait_for(self, happened: Callable[[], bool], seconds: float) -> None:
        """Until something holds; everything that was logged where it never does."""
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, f"not within {seconds} s\n{self.logs()}"
            time.sleep(POLL_S)

    def logs(self) -> str:
        """The ends of all logs."""
        files = sorted(self.folder.glob("**/*.log"))
        return "\n".join(
            f"== {file.name}\n{file.read_text(errors='replace')[-4000:]}" for file in files
        )
