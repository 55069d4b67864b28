"""What a GPU is to reach, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PAPER = "500 lives of 400 trials of 50 steps, 70 neurons, node perturbation gated by the outcome"
TARGETS = {
    "paper_generation_ms": 30.0,  # at most
    "thousand_generations_s": 60.0,  # at most, the search included
    "times_jax": 5.0,  # at least
}


def verdicts(parts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A verdict on each target; "unknown" where what it rests on was not measured."""
    rows = {row["name"]: row for part in parts.values() for row in part["rows"] if "name" in row}

    def said(status: bool | None, says: str) -> dict[str, Any]:
        word = {True: "reached", False: "missed", None: "unknown"}[status]
        return {"status": word, "says": says}

    paper, search, rival = (rows.get(name) for name in ("paper, 500", "search", "jax"))
    most_ms, most_s, times = TARGETS.values()
    answers = []
    if paper is None:
        answers.append(said(None, f"a generation of the published setting in {most_ms:g} ms"))
    else:
        ms = 1e3 * paper["seconds"]
        says = f"a generation of the published setting takes {ms:.1f} ms, target {most_ms:g}"
        answers.append(said(ms <= most_ms, says))
    if search is None:
        answers.append(said(None, f"1,000 generations of miconi2023 in {most_s:g} s"))
    else:
        seconds = 1e3 * search["seconds_per_generation"]
        says = f"1,000 generations of miconi2023 would take {seconds:.1f} s, target {most_s:g}"
        answers.append(said(seconds <= most_s, says))
    if rival is None:
        answers.append(said(None, f"{times:g} times as fast as a JAX program on this GPU"))
    else:
        says = f"{rival['ratio']:.1f} times as fast as a JAX program on this GPU, target {times:g}"
        answers.append(said(rival["ratio"] >= times, says))
    return answers
