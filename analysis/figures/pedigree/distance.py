"""How far the kept centers have gone from the first genome, field by field."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from analysis.figures.style import COLOURS, caption_inches, drawing, footer, write_caption
from analysis.store import RunRecords

INCHES = (6.0, 3.4)


def figure_distance(records: RunRecords, table: pd.DataFrame) -> Figure:
    """A line for each field, in units of its scale.

    Args:
        records: of the run.
        table: of `analysis.lineage.distance.field_distances`.
    """
    caption = (
        "Distance of the centers that were measured and kept from the run's first genome, of which "
        "all founders are mutants: root mean square, over the numbers of a field that may mutate, "
        "of their change, in units of the field's scale."
    )
    width, height = INCHES
    below = caption_inches(caption, width)
    with drawing():
        figure = Figure(figsize=(width, height + below))
        box = (
            *(0.13, (below + 0.5) / (height + below)),
            *(0.65, (height - 0.65) / (height + below)),
        )
        axes = figure.add_axes(box)
        for at, (field, line) in enumerate(table.groupby("field", sort=False)):
            axes.plot(
                line["generation"],
                line["in_scales"],
                color=COLOURS[at % len(COLOURS)],
                ls=("-", "--", ":")[at // len(COLOURS) % 3],
                marker="o",
                ms=3,
                label=str(field),
                gid=f"field-{field}",
            )
        axes.set(xlabel="generation", ylabel="distance from the first genome (scales)")
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0)
        write_caption(figure, caption, footer([records]), below)
    return figure
