"""Tables of self-paced runs for a terminal: accuracy and reward, each beside its own levels.

They are 100 columns wide at most, with task names of up to 30 characters. Longer names are folded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from analysis.figures.style import ROLE_LABEL
from analysis.generalization import ROLES
from analysis.measures import (
    ACCURACY,
    CHANCE_MEANS,
    FIXED_POLICY_MEANS,
    MEASURES,
    ORACLE_MEANS,
    REGRET_MEANS,
    REWARD,
    Measure,
)
from analysis.tables.pairs import pair_sentences

Show = Callable[[pd.Series], str]

WIDTH = 100  # of the text under the tables
MEASURE_TITLE = {
    "accuracy": "Percent correct at the end of a lifetime of learning",
    "reward": "Reward of a trial at the end of a lifetime of learning",
}
HELD_OUT_MEANS = "Held-out tasks never took part in evolution."
CONTROLS_MEAN = (
    "Controls: the same network with plasticity off, and a random genome with plasticity on."
)


def format_self_paced_table(table: pd.DataFrame) -> Group:
    """`final_table` of a self-paced run: two tables, held-out tasks first in each."""
    plastic = table[table["condition"] == "plastic"]
    generation, start = int(plastic["generation"].max()), int(plastic["first_generation"].min())
    title = f"generation {generation}, seed {table['seed'].iloc[0]}"
    parts = [
        measure_table(measure, plastic, title, _columns(measure, table, start, generation))
        for measure in shown_measures(plastic)
    ]
    return Group(*parts, below(_explanation(table, plastic)))


def shown_measures(plastic: pd.DataFrame) -> list[Measure]:
    """Those that some task has."""
    return [each for each in MEASURES if plastic[each.column("mean")].notna().any()]


def measure_table(
    measure: Measure, plastic: pd.DataFrame, title: str, columns: Mapping[str, Show]
) -> Table:
    """One row per task that has the measure, under a heading for each role.

    Args:
        measure: what the table shows.
        plastic: rows of tasks, columns task, role and those that `columns` reads.
        title: what follows the name of the measure.
        columns: cells of a row by heading.
    """
    shown = Table(
        title=f"{MEASURE_TITLE[measure.name]}; {title}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    shown.add_column("\ntask", overflow="fold")
    for heading in columns:
        shown.add_column(heading, justify="right", no_wrap=True)
    for role in reversed(ROLES):
        of_role = plastic[(plastic["role"] == role) & plastic[measure.column("mean")].notna()]
        if not len(of_role):
            continue
        style = "bold" if role == "held_out" else None
        shown.add_row(Text(f"{ROLE_LABEL[role]}:", style="italic"))
        for _, row in of_role.iterrows():
            cells = (show(row) for show in columns.values())
            shown.add_row(Text(f"  {row['task']}"), *cells, style=style)
        shown.add_section()
    return shown


def cell(measure: Measure, value: float) -> str:
    """A number of a measure, "-" where there is none.

    >>> from analysis.measures import REWARD
    >>> cell(ACCURACY, 0.625), cell(REWARD, -0.104), cell(REWARD, 250.4), cell(REWARD, float("nan"))
    ('62', '-0.10', '250', '-')
    """
    if pd.isna(value):
        return "-"
    if measure is ACCURACY:
        return f"{100 * value:.0f}"
    value = round(value, 9)  # equal numbers summed in another order stay equal
    text = f"{value:.2f}" if abs(value) < 99.995 else f"{value:.0f}"
    return "0.00" if text == "-0.00" else text


def span(measure: Measure, low: float, high: float) -> str:
    """Two numbers of a measure as a range; rewards may be negative, so no hyphen joins them.

    >>> from analysis.measures import REWARD
    >>> span(ACCURACY, 0.5, 0.75), span(REWARD, -0.1, 0.25)
    ('50-75', '-0.10..0.25')
    """
    return f"{cell(measure, low)}{'-' if measure is ACCURACY else '..'}{cell(measure, high)}"


def level_columns(measure: Measure, table: pd.DataFrame) -> dict[str, Show]:
    """Cells of the levels that the tasks of a table have, as every table of a measure shows them;
    of meta-tasks the regret too."""
    columns: dict[str, Show] = {
        "fixed\npolicy": lambda row: cell(measure, row[measure.fixed_policy]),
        "\nchance": lambda row: cell(measure, row[measure.chance]),
    }
    if measure.oracle is not None:
        columns["\noracle"] = lambda row: cell(measure, row[measure.oracle])
    if has_regret(measure, table):
        columns["best\nadapt."] = lambda row: cell(measure, row[measure.adaptive])
        columns["\nregret"] = lambda row: cell(
            measure, row[measure.adaptive] - row[measure.column("mean")]
        )
    return columns


def has_regret(measure: Measure, table: pd.DataFrame) -> bool:
    """Whether some task of a table has a best adaptive level."""
    return measure.adaptive is not None and bool(table[measure.adaptive].notna().any())


def _columns(measure: Measure, table: pd.DataFrame, start: int, generation: int) -> dict[str, Show]:
    def quartiles(row: pd.Series) -> str:
        return span(measure, *(row[measure.column(name)] for name in ("q25", "q75")))

    def control(row: pd.Series, condition: str) -> str:
        found = table[(table["task"] == row["task"]) & (table["condition"] == condition)]
        return cell(measure, found[measure.column("mean")].iloc[0]) if len(found) else "-"

    columns: dict[str, Show] = {
        f"gen.\n{start}": lambda row: cell(measure, row[f"first_{measure.column('mean')}"]),
        f"gen.\n{generation}": lambda row: cell(measure, row[measure.column("mean")]),
        "\nquartiles": quartiles,
    }
    if measure is ACCURACY:
        columns["above\nfixed"] = lambda row: cell(ACCURACY, row["above_fixed_policy"])
    return columns | {
        **level_columns(measure, table),
        "plast.\noff": lambda row: control(row, "plasticity_off"),
        "random\ngenome": lambda row: control(row, "random_genome"),
    }


def below(sentences: list[str]) -> Constrain:
    """Text under the tables, no wider than they are."""
    return Constrain(Text(" ".join(sentences), style="italic"), WIDTH)


def level_sentences(plastic: pd.DataFrame) -> list[str]:
    """What each level means, and which tasks have no accuracy."""
    without = list(plastic.loc[plastic["mean"].isna(), "task"])
    named = ", ".join(without) if len(without) <= 3 else f"{len(without)} of them here"
    sentences = [HELD_OUT_MEANS] if (plastic["role"] == "held_out").any() else []
    sentences += [CHANCE_MEANS, FIXED_POLICY_MEANS, ORACLE_MEANS]
    sentences += [REGRET_MEANS] if has_regret(REWARD, plastic) else []
    if without:
        sentences.append(f"Tasks in which nothing counts as correct have a reward alone: {named}.")
    if plastic["mean"].notna().any():
        sentences.append("Above fixed: percent of lifetimes more accurate than the fixed policy.")
    return sentences


def _explanation(table: pd.DataFrame, plastic: pd.DataFrame) -> list[str]:
    """What was measured, on how many lifetimes, beside which levels."""
    counts = [
        f"{'-'.join(str(n) for n in sorted(set(of_role['lifetimes'])))} of each {name} task"
        for role, name in (("held_out", "held-out"), ("train", "training"))
        if len(of_role := plastic[plastic["role"] == role])
    ]
    controls = table[table["condition"] != "plastic"]
    return [
        f"Over the last {table['scored_trials'].iloc[0]} of the {table['num_trials'].iloc[0]} "
        "trials of a lifetime, rewards summed within a trial: mean, and quartiles over lifetimes "
        f"(n = {' and '.join(counts)}), one network, seed {table['seed'].iloc[0]}.",
        *level_sentences(plastic),
        f"{CONTROLS_MEAN} Measured at generation {int(controls['generation'].max())}."
        if len(controls)
        else "Controls have not been measured yet.",
        *pair_sentences(plastic),
    ]
