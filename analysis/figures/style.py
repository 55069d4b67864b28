"""One look for all figures, and files that are the same bytes for the same numbers.

Colours are those of Okabe & Ito (2008), distinguishable with every common colour blindness.
"""

from __future__ import annotations

import io
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

from analysis.store import RunRecords
from evoplastic.storage import write_atomically

ROLE_COLOUR = {"train": "#0072B2", "held_out": "#D55E00"}
ROLE_LABEL = {"train": "training tasks", "held_out": "held-out tasks"}
CONDITION_LABEL = {
    "plastic": "plastic",
    "plasticity_off": "plasticity off",
    "random_genome": "random genome",
}
CONDITION_MARKER = {"plasticity_off": "s", "random_genome": "^"}
GREY = "#595959"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A5A00", "#56B4E9", "#E69F00", "#000000")
LEVEL_LOOK: dict[str, dict[str, Any]] = {
    "chance": {"color": GREY, "lw": 0.8, "ls": "-"},
    "fixed-policy": {"color": "#8A5A00", "lw": 1.0, "ls": (0, (4, 2))},
    "oracle": {"color": "#009E73", "lw": 1.0, "ls": (0, (5, 1.5, 1, 1.5))},
}

CAPTION_LINE_INCHES = 0.14  # of 8 points

SETTINGS: dict[str, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "pdf.fonttype": 42,  # letters stay letters
    "svg.fonttype": "none",
    "text.parse_math": False,  # names of tasks are text, dollar signs included
    "svg.hashsalt": "evoplastic",  # element names in the file depend on nothing but the drawing
}


@contextmanager
def drawing() -> Iterator[None]:
    """Settings of this project inside the block, the caller's own after it."""
    with matplotlib.rc_context(SETTINGS):
        yield


def caption_inches(caption: str, width_inches: float) -> float:
    """Height of a caption with its footer below, in a figure of this width."""
    return CAPTION_LINE_INCHES * len(caption_lines(caption, width_inches)) + 0.3


def write_caption(figure: Any, caption: str, footer: str, bottom_inches: float) -> None:
    """Caption and footer under the axes, which end `bottom_inches` above the lower edge."""
    width, height = figure.get_size_inches()
    text = "\n".join(caption_lines(caption, width))
    figure.text(0.2 / width, bottom_inches / height, text, va="top", fontsize=8)
    figure.text(0.2 / width, 0.08 / height, footer, va="bottom", fontsize=6.5, color=GREY)


def caption_lines(caption: str, width_inches: float) -> list[str]:
    """Lines of a caption in a figure of this width."""
    # 8 pt DejaVu Sans is about 0.062 inches per character
    return textwrap.wrap(caption, int((width_inches - 0.4) / 0.062), break_on_hyphens=False)


def lifetimes_phrase(counts_of_role: Mapping[str, Iterable[int]]) -> str:
    """How many lifetimes stand behind a figure, in words; roles without any are left out.

    >>> lifetimes_phrase({"held_out": [64, 64], "train": [1]})
    '64 lifetimes of each held-out task and 1 lifetime of each training task'
    >>> lifetimes_phrase({"held_out": [16, 64], "train": []})
    '16 to 64 lifetimes of each held-out task'
    """
    parts = []
    for role, counts in counts_of_role.items():
        numbers = sorted({int(count) for count in counts})
        if numbers:
            span = " to ".join(str(number) for number in sorted({numbers[0], numbers[-1]}))
            noun = "lifetime" if numbers[-1] == 1 else "lifetimes"
            parts.append(f"{span} {noun} of each {ROLE_LABEL[role].removesuffix('s')}")
    return " and ".join(parts)


def footer(runs: Sequence[RunRecords]) -> str:
    """Where the numbers come from: run, seeds and commits."""
    seeds = ", ".join(map(str, sorted({run.seed for run in runs})))
    commits = ", ".join(sorted({run.commit for run in runs}))
    if len(runs) == 1:
        return f"run {runs[0].run_id}  |  seed {seeds}  |  commit {commits}"
    return f"{len(runs)} runs  |  seeds {seeds}  |  commit {commits}"


def save_figure(figure: Any, stem: Path, *, pdf: bool = False) -> list[Path]:
    """Write `stem`.png and `stem`.svg, and `stem`.pdf if so wanted, without a date; their paths.

    Each file is written whole or not at all.

    Raises:
        EnvironmentFault: the directory cannot be written.
    """
    dates = {"png": {}, "svg": {"Date": None}}
    if pdf:
        dates["pdf"] = {"CreationDate": None}
    paths = []
    with matplotlib.rc_context(SETTINGS):
        for kind, metadata in dates.items():
            drawn = io.BytesIO()
            figure.savefig(drawn, format=kind, metadata=metadata)
            paths.append(stem.with_name(f"{stem.name}.{kind}"))
            write_atomically(paths[-1], drawn.getvalue())
    return paths


def write_csv(numbers: Any, stem: Path) -> Path:
    """Write a table as `stem`.csv, numbers to six decimals, and return its path.

    Raises:
        EnvironmentFault: the directory cannot be written.
    """
    path = stem.with_name(f"{stem.name}.csv")
    write_atomically(path, numbers.round(6).to_csv(index=False).encode())
    return path


def write_json(value: Any, stem: Path) -> Path:
    """Write plain values as `stem`.json and return its path.

    Raises:
        EnvironmentFault: the directory cannot be written.
    """
    path = stem.with_name(f"{stem.name}.json")
    write_atomically(path, f"{json.dumps(value, indent=2, allow_nan=False)}\n".encode())
    return path
