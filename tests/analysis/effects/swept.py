"""Runs of a sweep with scores that are chosen number by number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from analysis.store import RunRecords, read_directory
from tests.analysis.runs import entry, evaluation, start, write_run

PAIR = ("dms", "dnms")


def swept(
    folder: Path,
    seed: int,
    ability: float,
    bias: float = 0.0,
    *,
    generations: tuple[int, ...] = (0, 9),
    digest: str = "5017e",
    held_out: tuple[str, str] = PAIR,
    train: str = "and",
    **sections: Any,
) -> Path:
    """A run that answers its two held-out tasks, negations, with ability + bias and - bias."""
    values = {"seed": seed, **sections}
    run_id = "-".join(str(value) for value in (folder.name, seed))
    events = [
        evaluation(
            number,
            entry(held_out[0], "held_out", (ability + bias,) * 2),
            entry(held_out[1], "held_out", (ability - bias,) * 2),
            entry(train, "train", (0.9,)),
        )
        for number in generations
    ]
    first = replace(start(seed, run_id), negations=(held_out,), suite_digest=digest)
    path = write_run(folder / f"seed{seed}", [first, *events])
    config = path / "config.resolved.yaml"
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | values))
    return path


def sigma(folder: Path, value: float, scores: dict[int, float], **more: Any) -> list[RunRecords]:
    """A run for each seed of one value of `search.sigma`."""
    search = {"name": "es", "sigma": value}
    root = folder / f"sigma{value}"
    return [
        read_directory(swept(root, seed, score, search=search, **more))
        for seed, score in scores.items()
    ]
