"""Figure of how alike a network is to recorded activity."""

from __future__ import annotations

from typing import Any

from matplotlib.lines import Line2D

from analysis.figures.inside.periods import shade
from analysis.figures.inside.sheet import Drawn, colour_bar, sheet, source_of
from analysis.figures.style import COLOURS, GREY, drawing
from analysis.inside.recorded import PARTS, first_and_last, periods_ms, trials_phrase
from analysis.inside.similarity import compared
from evoplastic.lifetime.imitation.activity import Activity

MATRIX_INCHES, CURVE_INCHES = 1.6, 1.4
NAME = {"rdm": "rank correlation of RDMs", "cka": "centred kernel alignment"}
LOOK = {"first": (0, (2, 1)), "last": "-"}


def figure_similarity(recording: Any, activity: Activity) -> Drawn:
    """RDMs of the recorded activity and of the network; below, similarity along the trial.

    Args:
        recording: of rates, with first and last trials of lifetimes.
        activity: of `evoplastic.lifetime.imitation.activity.read_activity`.
    """
    found = compared(recording, activity)
    spans = {part: trials_phrase(data) for part, data in first_and_last(recording).items()}
    told = "; ".join(
        f"{NAME[row['measure']]} in {spans[row['part']]} {row['similarity']:.2f} (p {row['p']:.2g})"
        for row in found.whole.to_dict("records")
    )
    caption = (
        f"Above: dissimilarity (1 - correlation over units) of {len(found.conditions)} "
        f"conditions, {activity.pattern_CU.shape[1]} recorded units and the network's hidden "
        f"neurons, rates averaged over the trial. Whole trial: {told}; p: conditions in random "
        f"order. Below: similarity at each step; {recording.sizes['life']} lifetimes of "
        f"{recording.attrs['task']}."
    )
    names = {"recorded": "recorded", **{part: f"network, {spans[part]}" for part in PARTS}}
    handles = [
        Line2D([], [], color=COLOURS[at], ls=LOOK[part], label=f"{NAME[measure]}, {spans[part]}")
        for at, measure in enumerate(NAME)
        for part in PARTS
    ]
    largest = max(float(matrix.max()) for matrix in found.matrices.values()) or 1.0
    with drawing():
        made = sheet(
            [MATRIX_INCHES, CURVE_INCHES],
            [MATRIX_INCHES] * 3,
            caption,
            source_of(recording),
            gap=(0.55, 0.9),
            right=0.8,
            handles=handles,
        )
        for axes, (name, title) in zip(made.axes[0], names.items(), strict=True):
            image = axes.imshow(found.matrices[name], cmap="cividis", vmin=0, vmax=largest)
            axes.set_title(title, fontsize=8.5)
            places = range(0, len(found.conditions), max(1, len(found.conditions) // 8))
            shown = [found.conditions[place] for place in places]
            axes.set_xticks(places, shown, fontsize=7, rotation=90)
            axes.set_yticks(places, shown, fontsize=7)
        colour_bar(made, made.axes[0][-1], image, "dissimilarity")
        first, *others = made.axes[1]
        for axes in others:
            axes.set_visible(False)
        left, right = first.get_position(), others[-1].get_position()
        first.set_position((left.x0, left.y0, right.x1 - left.x0, left.height))
        for at, measure in enumerate(NAME):
            for part in PARTS:
                own = found.along[(found.along.measure == measure) & (found.along.part == part)]
                first.plot(
                    own["time_ms"], own["similarity"], color=COLOURS[at], ls=LOOK[part],
                    gid=f"{measure}-{part}",
                )  # fmt: skip
        shade(first, periods_ms(recording), names=True)
        first.axhline(0, color=GREY, lw=0.6)
        first.set(xlabel="time in the trial (ms)", ylabel="similarity", ylim=(None, 1.05))
    return Drawn(made.figure, found.along, {"whole": found.whole})
