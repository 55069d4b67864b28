"""How long `evoplastic --help` takes: `python -m tests.benchmarks.startup`."""

from __future__ import annotations

import subprocess
import sys
import time

RUNS = 9


def main() -> None:
    """Print the best and the median of some starts."""
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "evoplastic", "--help"], check=True, stdout=subprocess.DEVNULL
        )
        seconds.append(time.perf_counter() - began)
    seconds.sort()
    print(f"evoplastic --help: best {seconds[0]:.3f} s, median {seconds[RUNS // 2]:.3f} s")


if __name__ == "__main__":
    main()
