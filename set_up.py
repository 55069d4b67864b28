"""Install what constraints.txt names into a virtual environment, and say what is being done.

    python set_up.py .venv

Started again after an interruption it goes on: what pip has loaded is in its cache, what is
installed stays. Python alone is needed; `make setup` runs this.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PERIOD_S = 5.0  # between two words while nothing else is said
OBTAINED = re.compile(r"\s*(Downloading|Using cached|Obtaining|Building|Preparing|Getting) ?(.*)")
NAMED = re.compile(r"Collecting ([\w.\[\]-]+)")
INSTALLING = "Installing collected packages: "


def main(venv: Path, tell: Callable[[str], None]) -> int:
    """Make the environment whole; 0, or what pip ends with."""
    began = time.monotonic()
    python = venv / "bin" / "python"
    if not _works(python):
        tell(f"creating {venv} with {sys.executable}")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    for broken in _half_installed(venv):
        tell(f"removing what an interrupted set-up left of {broken.name}")
        shutil.rmtree(broken)  # pip writes over what it does not know
    tell("installing the tested versions of constraints.txt, a few minutes the first time")
    words = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    words += ["-c", "constraints.txt", "-e", ".[dev]"]
    code = _run([str(python), *words], venv, tell, began)
    taken = _minutes(time.monotonic() - began)
    tell(f"set up in {taken}" if code == 0 else f"stopped after {taken}; make setup goes on")
    return code


def _run(command: list[str], venv: Path, tell: Callable[[str], None], began: float) -> int:
    """Run pip, and tell its steps in a line each; at a time when it is silent, how far it is."""
    doing, over = ["looking for packages"], threading.Event()
    first, wanted = _installed(venv), [0]

    def beat() -> None:
        while not over.wait(PERIOD_S):
            done = f", {_installed(venv) - first} of {wanted[0]} packages" if wanted[0] else ""
            tell(f"  {_minutes(time.monotonic() - began)}: {doing[0]}{done}")

    beating = threading.Thread(target=beat, daemon=True)
    beating.start()
    named = 0
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            text = line.rstrip()
            if found := NAMED.match(text):
                named += 1
                doing[0] = f"{found[1]}, package {named}"
            elif found := OBTAINED.match(text):
                doing[0] = f"{found[1].lower()} {found[2][:70]}"
                if found[1] == "Downloading" and "MB" in text:
                    tell(f"  {doing[0]}")
            elif text.startswith(INSTALLING):
                wanted[0] = text.count(",") + 1
                doing[0] = "installing"
                tell(f"  installing {wanted[0]} packages")
            elif "error" in text.lower() or text.startswith("WARNING"):
                tell(text)
    over.set()
    beating.join()
    return pip.returncode


def _works(python: Path) -> bool:
    """Whether an environment has an interpreter that starts, and pip."""
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", "import pip"], capture_output=True).returncode == 0


def _half_installed(venv: Path) -> list[Path]:
    """Packages that are named but whose list of files is missing: pip would refuse to go on."""
    found = venv.glob("lib/python*/site-packages/*.dist-info")
    return [each for each in found if not (each / "RECORD").exists()]


def _installed(venv: Path) -> int:
    return sum(1 for _ in venv.glob("lib/python*/site-packages/*.dist-info/RECORD"))


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), partial(print, flush=True)))
    except KeyboardInterrupt:
        print("interrupted; `make setup` goes on from here", file=sys.stderr)
        sys.exit(130)
