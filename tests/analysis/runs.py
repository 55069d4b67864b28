"""Small runs with known numbers, written with the types that a real run writes with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evoplastic.records.events import (
    EndEvent,
    EvaluationEvent,
    Event,
    GenerationEvent,
    StartEvent,
    TaskEvaluation,
    to_line,
)
from evoplastic.records.names import Condition, Role

NUM_TRIALS = 40
SCORED_TRIALS = 10
FIXED_POLICY = 0.625  # on purpose not the 75 % of the two-stimulus tasks
RAMP = tuple(trial / NUM_TRIALS for trial in range(NUM_TRIALS))

CONFIG = f"""\
seed: 5
lifetime:
  num_trials: {NUM_TRIALS}
  scored_trials: {SCORED_TRIALS}
tracking:
  enabled: true
  uri: {{uri}}
"""


def start(seed: int = 5, run_id: str = "small-5") -> StartEvent:
    """The first event of a run."""
    return StartEvent(
        time_ms=1_000,
        run_id=run_id,
        name="small",
        seed=seed,
        config_digest="c0ffee",
        suite_digest="5017e",
        git_commit="0123456789abcdef",
    )


def entry(
    task: str,
    role: Role,
    accuracy: Sequence[float],
    condition: Condition = "plastic",
    curve: tuple[float, ...] | None = None,
    group: str | None = None,
) -> TaskEvaluation:
    """Lifetimes of one genome on one task."""
    return TaskEvaluation(
        task=task,
        role=role,
        condition=condition,
        accuracy=tuple(accuracy),
        loss_mean=0.25,
        chance=0.5,
        fixed_policy_level=FIXED_POLICY if role == "held_out" else 0.5,
        curve=curve,
        group=group,
    )


def evaluation(generation: int, *entries: TaskEvaluation) -> EvaluationEvent:
    """An evaluation session."""
    return EvaluationEvent(
        time_ms=2_000 + generation,
        generation=generation,
        genome_digest=f"g{generation}",
        parent_digest="g0" if generation else "",
        seconds=0.5,
        entries=entries,
    )


def generation(number: int, loss: float = 0.3) -> GenerationEvent:
    """A generation that was run."""
    return GenerationEvent(
        time_ms=3_000 + number, generation=number, metrics={"fitness/loss_mean": loss}
    )


def first_evaluation(shift: float = 0.0) -> EvaluationEvent:
    """Generation 0: around chance, with controls and curves."""
    return evaluation(
        0,
        entry("and", "train", (0.4 + shift, 0.6 + shift), curve=RAMP),
        entry("dms", "held_out", (0.3 + shift, 0.5 + shift, 0.4 + shift, 0.6 + shift), curve=RAMP),
        entry("dms", "held_out", (0.5, 0.4), "plasticity_off", curve=(0.5,) * NUM_TRIALS),
        entry("dms", "held_out", (0.6, 0.6), "random_genome"),
    )


def last_evaluation(shift: float = 0.0) -> EvaluationEvent:
    """Generation 4: learnt, with controls and curves."""
    return evaluation(
        4,
        entry("and", "train", (0.9 + shift, 1.0), curve=RAMP),
        entry("dms", "held_out", (0.6 + shift, 0.8 + shift, 0.7, 0.9 + shift), curve=RAMP),
        entry("dms", "held_out", (0.5, 0.4), "plasticity_off", curve=(0.5,) * NUM_TRIALS),
        entry("dms", "held_out", (0.5, 0.7), "random_genome"),
    )


def middle_evaluation() -> EvaluationEvent:
    """Generation 2: neither controls nor curves."""
    return evaluation(
        2, entry("and", "train", (0.7, 0.8)), entry("dms", "held_out", (0.5, 0.6, 0.5, 0.7))
    )


def whole_run(seed: int = 5, shift: float = 0.0) -> list[Event]:
    """Four generations, evaluated at 0, 2 and 4."""
    return [
        start(seed, f"small-{seed}"),
        first_evaluation(shift),
        *(generation(number) for number in range(2)),
        middle_evaluation(),
        *(generation(number) for number in range(2, 4)),
        last_evaluation(shift),
        EndEvent(time_ms=9_000, generation=4, status="done"),
    ]


def write_run(directory: Path, events: Sequence[Event], uri: str = "null") -> Path:
    """A run directory with these events."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "journal.ndjson").write_text("".join(f"{to_line(event)}\n" for event in events))
    (directory / "config.resolved.yaml").write_text(CONFIG.format(uri=uri))
    return directory
