"""The links of a run's note in MLflow: the one part that both who runs and who draws write."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

NOTE_TAG = "mlflow.note.content"
HEADING = "\n#### Figures and reports\n"
SHOWN = (".html", ".png", ".pdf")  # of each figure in several forms the first
MOST = 24


def with_links(note: str, experiment_id: str, run_id: str, artifacts: Iterable[str]) -> str:
    """A note with links to what can be looked at among the artifacts, in place of earlier links.

    Args:
        note: Markdown.
        experiment_id: MLflow's.
        run_id: MLflow's.
        artifacts: their paths in the run.

    >>> print(with_links("A run.", "1", "ab", ["figures/curves.png", "figures/curves.svg"]))
    A run.
    <BLANKLINE>
    #### Figures and reports
    <BLANKLINE>
    - [curves](#/experiments/1/runs/ab/artifacts/figures/curves.png)
    """
    place = f"#/experiments/{experiment_id}/runs/{run_id}/artifacts"
    best: dict[str, str] = {}
    for path in sorted(artifacts):
        stem, dot, suffix = path.rpartition(".")
        if dot + suffix not in SHOWN:
            continue
        kept = best.get(stem)
        if kept is None or SHOWN.index(dot + suffix) < SHOWN.index("." + kept.rpartition(".")[2]):
            best[stem] = path
    lines = [
        f"- [{_plain(stem.rpartition('/')[2])}]({place}/{quote(path)})"
        for stem, path in best.items()
    ]
    own = note.partition(HEADING)[0]
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"- and {len(lines) - MOST} more among the artifacts"]
    return "\n".join([own, HEADING, *lines]) if lines else own


def _plain(word: str) -> str:
    """A file's stem as words, without what Markdown would read."""
    return "".join(each if each.isalnum() or each in "-. " else " " for each in word)
