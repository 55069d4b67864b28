"""What the report says of GPUs: `make bench` measures none, `make gpu` does where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.gpu.targets import PAPER, TARGETS

MEASURED = Path(__file__).parents[1] / "gpu" / "measured"  # what `make gpu` found, a file each card


def report() -> list[str]:
    """The section on GPUs."""
    most_ms, most_s, times = TARGETS.values()
    return [
        "## GPU",
        "",
        "`make gpu` checks and measures a GPU within eight minutes; it needs Python, torch,",
        "triton and numpy, and jax for the rival, installs nothing, and uses no network. It prints",
        'as it goes and writes `gpu.json`, or the file that `ARGS="--out FILE"` says:',
        "",
        "| part | what it finds |",
        "|---|---|",
        "| parity | every schedule, layout and kind of trials beside the reference, and streams |",
        "| bits | perturbations, mutations and gradients, bit for bit |",
        "| speed | seconds per generation and share of the fp32 peak: the published setting at 500 "
        "and 16,384 lives, modulated by the network, self-paced, Oja's rule |",
        "| evolution | 50 generations of `miconi2023` from end to end |",
        "| rival | the JAX program on the same GPU |",
        "",
        f"Targets, for {PAPER}:",
        f"a generation in at most {most_ms:g} ms, 1,000 generations with their search in at most",
        f"{most_s:g} s, at least {times:g} times as fast as the JAX program.",
        "",
        *(line for file in sorted(MEASURED.glob("*.json")) for line in card(_read(file))),
    ]


def card(found: dict[str, Any]) -> list[str]:
    """What one GPU was found to do."""
    machine, parts = found["machine"], found["parts"]
    parity, bits = parts["parity"]["rows"], parts["bits"]["rows"]
    search = next(row for row in parts["evolution"]["rows"] if row["name"] == "search")
    rival = next(row for row in parts["rival"]["rows"] if row["name"] == "jax")
    return [
        f"### {machine['gpu']}",
        "",
        f"Commit {machine['commit']}, {machine['date']}, torch {machine['torch']}, triton "
        f"{machine['triton']}. Parity holds in {_holding(parity)} kinds of lifetimes, the largest "
        f"difference of a loss being {max(row['error'] for row in parity):.1e} (that of float32 "
        f"in plain PyTorch {max(row['rounding'] for row in parity):.1e}); {_holding(bits)} draws "
        "and sums are the same in every bit.",
        "",
        "| | ms a generation | ms of its kernel | million steps a second | share of fp32 peak |",
        "|---|--:|--:|--:|--:|",
        *(
            f"| {row['name']} | {1e3 * row['seconds']:.1f} | {1e3 * row['kernel_s']:.1f} "
            f"| {row['steps_per_s'] / 1e6:.0f} | {100 * row['share_of_fp32_peak']:.1f} % |"
            for row in parts["speed"]["rows"]
        ),
        "",
        f"The search included, a generation of `miconi2023` takes "
        f"{1e3 * search['seconds_per_generation']:.1f} ms (mean of {search['generations'] - 1}). "
        f"The JAX program (jax {rival['version']}) takes {1e3 * rival['seconds']:.0f} ms for the "
        f"lifetimes, {rival['ratio']:.1f} times as long as the engine in the same run.",
        "",
        *(f"- {verdict['status']}: {verdict['says']}" for verdict in found["verdicts"]),
        "",
    ]


def _holding(rows: list[dict[str, Any]]) -> str:
    return f"{sum(row['holds'] for row in rows)} of {len(rows)}"


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found
