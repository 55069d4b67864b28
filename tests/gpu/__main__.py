"""`make gpu`: parity, bits, speed, a rival and a search on this machine's GPU, within minutes.

Needs Python, torch, triton and numpy, and jax for the rival. Every part runs in a process of its
own under a time limit of its own, so that whatever a driver or compiler does to one costs that part
alone. Prints as it goes, and writes all that is known so far as JSON after each part.

Exits with 0 if every part held, 1 if one did not, 3 if there is no GPU or nothing to use it with.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.gpu.targets import PAPER, TARGETS, verdicts

TOTAL_S = 470.0  # of all parts together
LIMIT_S = {"parity": 150.0, "bits": 60.0, "speed": 150.0, "evolution": 90.0, "rival": 120.0}
NEEDED = ("torch", "triton", "numpy")
NO_GPU = 3


def main() -> int:
    """Run the parts one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument(
        "--out", type=Path, help="file to write (default $OUT/gpu.json or gpu.json)"
    )
    parser.add_argument(
        "--interpret",
        action="store_true",
        help="tiny sizes under Triton's interpreter, where there is no GPU; measures nothing",
    )
    parser.add_argument("--parts", nargs="+", choices=LIMIT_S, default=[*LIMIT_S])
    args = parser.parse_args()
    out = args.out or Path(os.environ.get("OUT", ".")) / "gpu.json"
    if args.interpret:
        os.environ["TRITON_INTERPRET"] = "1"
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"{sys.executable} has no {', '.join(missing)}; say GPU_PYTHON=/path/to/a/python that "
            f"has {', '.join(NEEDED)}, and jax for the rival.",
            file=sys.stderr,
        )
        return NO_GPU
    machine = _machine()
    if machine["gpu"] is None and not args.interpret:
        print(
            "No GPU: no CUDA device is visible to torch, so nothing was checked or measured. "
            "--interpret runs tiny sizes under Triton's interpreter.",
            file=sys.stderr,
        )
        return NO_GPU
    report: dict[str, Any] = {
        "machine": machine,
        "interpreted": args.interpret,
        "setting": PAPER,
        "targets": TARGETS,
        "parts": {},
    }
    for name, value in machine.items():
        print(f"{name:14} {value}")
    print(f"interpreted    {args.interpret}" + ("; nothing is measured" if args.interpret else ""))
    begin = time.monotonic()
    for name in args.parts:
        left = TOTAL_S - (time.monotonic() - begin)
        report["parts"][name] = run_part(name, min(LIMIT_S[name], left), args.interpret)
        report["verdicts"] = [] if args.interpret else verdicts(report["parts"])
        report["seconds"] = time.monotonic() - begin
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(report, indent=1))
    print(f"\n== targets (written to {out}, {report['seconds']:.0f} s in all)")
    if args.interpret:
        print("interpreted: no target is claimed")
    for verdict in report["verdicts"]:
        print(f"{verdict['status']:9} {verdict['says']}")
    return int(any(part["status"] != "held" for part in report["parts"].values()))


def run_part(name: str, limit_s: float, interpret: bool) -> dict[str, Any]:
    """What one part found, however its process ended."""
    print(f"\n== {name} (at most {limit_s:.0f} s)", flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder) / "found.json"
        command = [sys.executable, "-u", "-m", "tests.gpu.part", name, str(found)]
        if limit_s <= 0:
            status = "not run: the time for all parts is over"
        else:
            try:
                ended = subprocess.run(
                    command + ["--tiny"] * interpret, timeout=limit_s, check=False
                )
                status = "held" if ended.returncode == 0 else f"failed with {ended.returncode}"
            except subprocess.TimeoutExpired:
                status = f"stopped after {limit_s:.0f} s"
        rows = json.loads(found.read_text()) if found.exists() else []
    taken = time.monotonic() - begin
    print(f"-- {name}: {status}, {taken:.1f} s", flush=True)
    return {"status": status, "seconds": taken, "rows": rows}


def _machine() -> dict[str, Any]:
    """What numbers mean nothing without."""
    import platform

    import numpy
    import torch
    import triton

    gpu = torch.cuda.get_device_properties(0) if torch.cuda.is_available() else None
    return {
        "gpu": gpu and gpu.name,
        "processors": gpu and gpu.multi_processor_count,
        "max clock MHz": _max_clock_mhz() if gpu else None,
        "memory GiB": gpu and round(gpu.total_memory / 2**30, 1),
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "numpy": numpy.__version__,
        "commit": _output("git", "rev-parse", "--short", "HEAD"),
        "date": time.strftime("%Y-%m-%d"),
    }


def _max_clock_mhz() -> int | None:
    words = _output("nvidia-smi", "--query-gpu=clocks.max.sm", "--format=csv,noheader,nounits")
    return int(words.splitlines()[0]) if words and words.splitlines()[0].isdigit() else None


def _output(*command: str) -> str | None:
    """What a command says, or None if it is not there or fails."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip() or None


if __name__ == "__main__":
    sys.exit(main())
