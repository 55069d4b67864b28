"""The tables of a stream: what is known of each task after each part, and the scores of it."""

from __future__ import annotations

from typing import Any

from evoplastic.cli.verbs import print_table


def print_stream(task: str, by_condition: dict[str, dict[str, Any]]) -> None:
    """Means over lifetimes: the matrix of the first condition, and the scores of each.

    Args:
        task: name of the stream.
        by_condition: what `StreamRecord` holds, in plain types.
    """
    shown, first = next(iter(by_condition.items()))
    names = [f"{number}. {part}" for number, part in enumerate(first["parts"])]
    matrices = first["matrices"]

    def cell(row: int, column: int) -> str:
        return _percent(_mean([each[row][column] for each in matrices]))

    print_table(
        ("after part", *first["tasks"]),
        [
            (name, *(cell(row, column) for column in range(len(first["tasks"]))))
            for row, name in enumerate(names)
        ],
        title=f"\nStream {task}, {shown.replace('_', ' ')}: right answers of probes",
    )
    scores = list(dict.fromkeys(name for each in by_condition.values() for name in each["scores"]))
    print_table(
        ("condition", *(name.replace("_", " ") for name in scores)),
        [
            (
                condition.replace("_", " "),
                *(_percent(_mean(each["scores"].get(name, []))) for name in scores),
            )
            for condition, each in by_condition.items()
        ],
        title=f"\nScores of stream {task}, means over lifetimes",
    )


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
