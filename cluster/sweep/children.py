"""One run of a sweep as a process of its own, which tells what it does in lines of JSON."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cluster.loop import EXIT_CODES
from cluster.sweep.plan import PlannedRun
from cluster.sweep.shares import Share
from evoplastic.commands import own_program
from evoplastic.stopping import SIGNALS, STOP_WITH

THREADS = "threads"  # key of a configuration
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOGS = "logs"  # folder in the directory of a sweep
MOST_LOG = 1 << 16  # bytes of a log that are read for a reason

RunEnd = Literal["done", "preempted", "interrupted", "failed"]


class Told(NamedTuple):
    """One line of a child; without values, that nothing more comes."""

    name: str
    values: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """How a process left one run of a sweep."""

    name: str
    status: RunEnd
    code: int  # of its process
    reason: str = ""  # what a run last said that is not done
    outcome: Mapping[str, Any] | None = None  # what `evolve --json` said last


class Child:
    """A run at work.

    Args:
        run: which one.
        source: recipe or file of the sweep.
        root: directory of the sweep.
        share: how the runs share the machine.
        slot: its place among those at work.
        threads: of its engine, where its configuration does not say.
        options: of `evolve`, the same for all runs.
        told: where its lines go.
    """

    def __init__(
        self,
        run: PlannedRun,
        source: str,
        root: Path,
        share: Share,
        slot: int,
        threads: int,
        options: Sequence[str],
        told: queue.Queue[Told],
    ) -> None:
        self.slot = slot
        self.run, self.threads = run, run.config.threads or threads
        self.outcome: dict[str, Any] | None = None
        self._handed_on = False
        self._log = root / LOGS / f"{run.name}.log"
        self._log.parent.mkdir(exist_ok=True)
        self._began_at = self._log.stat().st_size if self._log.exists() else 0
        run_dir = str(root.absolute() / run.name).replace("{", "{{").replace("}", "}}")
        words = [
            *(*own_program(), "evolve", f"./{source}" if source.startswith("-") else source),
            *run.overrides,
            *([] if run.config.threads else [f"{THREADS}={threads}"]),
            *("--run-dir", run_dir, "--continue", "--json", "--no-analysis"),
            *options,
        ]
        environment = {name: str(self.threads) for name in LIBRARIES} | dict(os.environ)
        environment[STOP_WITH] = str(os.getpid())  # nobody would hear what an orphan says
        device = share.device(slot)
        environment |= {} if device is None else {"CUDA_VISIBLE_DEVICES": device}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
                errors="replace",
                process_group=0,  # the keyboard's signals come from us, once
            )
        self._reader = threading.Thread(target=self._read, args=(told,), daemon=True)
        self._reader.start()

    def send(self, number: signal.Signals) -> None:
        """Hand a signal on."""
        if self._process.poll() is None:
            self._handed_on = True
            self._process.send_signal(number)

    def result(self) -> RunResult:
        """How it ended; called when its lines have."""
        code = self._process.wait()
        status: RunEnd = next((name for name, each in EXIT_CODES.items() if each == code), "failed")
        if self._handed_on and -code in SIGNALS:
            status = "preempted"  # before it could catch any
        reason = "" if status == "done" else self._reason(code)
        return RunResult(
            name=self.run.name, status=status, code=code, reason=reason, outcome=self.outcome
        )

    def _read(self, told: queue.Queue[Told]) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                try:
                    values = json.loads(line)
                except ValueError:
                    continue  # what a task of the user's prints is no word of ours
                if isinstance(values, dict) and isinstance(values.get("event"), str):
                    if values["event"] == "outcome":
                        self.outcome = values
                    told.put(Told(self.run.name, values))
        self._process.wait()
        told.put(Told(self.run.name, None))

    def _reason(self, code: int) -> str:
        """The last thing that it said on stderr, or what ended it."""
        with self._log.open("rb") as log:
            log.seek(max(self._began_at, self._log.stat().st_size - MOST_LOG))
            lines = log.read().decode(errors="replace").strip().splitlines()
        said = [
            line.removeprefix("evoplastic: ") for line in lines if line.startswith("evoplastic")
        ]
        last = (said or [line.strip() for line in lines] or [""])[-1]
        if code < 0:
            return f"ended by {signal.Signals(-code).name}" + (
                f"; it last said: {last}" if last else ""
            )
        return last or f"ended with exit code {code} and no word"
