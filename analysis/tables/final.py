"""The final table of a run for a terminal: one row per task, beside its levels and controls."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from analysis.generalization import ROLES
from analysis.measures import ACCURACY, is_self_paced, levels_phrase
from analysis.tables.pairs import pair_sentences
from analysis.tables.self_paced import format_self_paced_table


def format_final_table(table: pd.DataFrame) -> RenderableType:
    """`final_table` for a terminal: held-out tasks first and marked.

    Runs of fixed timing show accuracy, self-paced ones accuracy and reward.
    """
    return format_self_paced_table(table) if is_self_paced(table) else _format_fixed_timing(table)


def _format_fixed_timing(table: pd.DataFrame) -> Table:
    plastic = table[table["condition"] == "plastic"]
    generation = int(plastic["generation"].max())
    start = int(plastic["first_generation"].min())
    shown = Table(
        title="Percent correct at the end of a lifetime of learning; "
        f"generation {generation}, seed {table['seed'].iloc[0]}",
        title_justify="left",
        caption=_explanation(table, plastic),
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    columns = {
        f"gen.\n{start}": lambda row: _percent(row.first_mean),
        f"gen.\n{generation}": lambda row: _percent(row.mean),
        "\nquartiles": lambda row: f"{_percent(row.q25)}-{_percent(row.q75)}",
        "above\nfixed": lambda row: _percent(row.above_fixed_policy),
        "fixed\npolicy": lambda row: _percent(row.fixed_policy_level),
        "\nchance": lambda row: _percent(row.chance),
        "plast.\noff": lambda row: _control(table, row.task, "plasticity_off"),
        "random\ngenome": lambda row: _control(table, row.task, "random_genome"),
    }
    shown.add_column("\ntask", no_wrap=True)
    for heading in columns:
        shown.add_column(heading, justify="right", no_wrap=True)
    for role in reversed(ROLES):
        of_role = plastic[plastic["role"] == role]
        for row in of_role.itertuples():
            shown.add_row(
                f"{row.task} (held out)" if role == "held_out" else row.task,
                *(show(row) for show in columns.values()),
                style="bold" if role == "held_out" else None,
            )
        shown.add_section()
    return shown


def _named(tasks: list[str], most: int = 4) -> str:
    return ", ".join(tasks) if len(tasks) <= most else f"{len(tasks)} of them"


def _percent(share: float) -> str:
    return "-" if pd.isna(share) else f"{100 * share:.0f}"


def _control(table: pd.DataFrame, task: str, condition: str) -> str:
    found = table[(table["task"] == task) & (table["condition"] == condition)]
    return _percent(found["mean"].iloc[0]) if len(found) else "-"


def _explanation(table: pd.DataFrame, plastic: pd.DataFrame) -> str:
    """The sentences under the table: what was measured, on how many, beside which levels."""
    counts = [
        f"{'-'.join(str(n) for n in sorted(set(of_role['lifetimes'])))} of each {name} task"
        for role, name in (("held_out", "held-out"), ("train", "training"))
        if len(of_role := plastic[plastic["role"] == role])
    ]
    controls = table[table["condition"] != "plastic"]
    levels = ", ".join(
        f"{100 * level:.3g} % on {_named(list(of_level['task']))}"
        for level, of_level in plastic[plastic["role"] == "held_out"].groupby("fixed_policy_level")
    )
    sentences = [
        "Tasks marked (held out) never took part in evolution.",
        f"Share of correct answers over the last {table['scored_trials'].iloc[0]} of the "
        f"{table['num_trials'].iloc[0]} trials of a lifetime: mean, and quartiles over lifetimes "
        f"(n = {' and '.join(counts)}), one network, seed {table['seed'].iloc[0]}.",
        f"Guessing gives {levels_phrase(ACCURACY, plastic['chance'])}.",
        "Fixed policy: the level that needs no learning within the lifetime; on a held-out task, "
        "that of answering as the closest training task"
        + (f" ({levels})" if levels else "")
        + ". Above fixed: percent of lifetimes that beat it.",
    ]
    if len(controls):
        generation = int(controls["generation"].max())
        sentences.append(
            f"Controls of generation {generation}: the same network with plasticity off, and a "
            "random genome with plasticity on."
        )
    else:
        sentences.append("Controls have not been measured yet.")
    sentences += pair_sentences(plastic)
    return " ".join(sentences)
