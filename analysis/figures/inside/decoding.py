"""Figure of cross-temporal decoding, in the layout of Miconi (2023), figure 4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.figures.inside.periods import mark_edges
from analysis.figures.inside.sheet import Drawn, colour_bar, sheet, source_of
from analysis.figures.style import drawing
from analysis.inside.decoding import FOLDS, Decoded, cross_temporal, decodable
from analysis.inside.recorded import first_and_last, periods_ms, trials_phrase

PANEL_INCHES = 1.35


def figure_decoding(
    recordings: Mapping[str, Any], variables: Sequence[str] | None = None, **options: Any
) -> Drawn:
    """Accuracy of a decoder by training and test time: a row for each variable, a column for each
    network's first and last trials.

    Args:
        recordings: of rates, by what the network is called, as "generation 0" and "generation 120".
        variables: none means the stimuli and the target action.
        options: of `analysis.inside.decoding.cross_temporal`.

    Raises:
        UsageError: as `cross_temporal`.
    """
    some = next(iter(recordings.values()))
    variables = decodable(some) if variables is None else list(variables)
    found: dict[tuple[str, str], dict[str, Decoded]] = {}
    spans: dict[tuple[str, str], str] = {}
    for network, recording in recordings.items():
        for part, data in first_and_last(recording).items():
            found[network, part] = {
                variable: cross_temporal(data, variable, **options) for variable in variables
            }
            spans[network, part] = trials_phrase(data)
    table = pd.concat(
        [
            decoded.table(network=network, part=part)
            for (network, part), each in found.items()
            for decoded in each.values()
        ],
        ignore_index=True,
    )
    lives = " or ".join(sorted({str(each.sizes["life"]) for each in recordings.values()}))
    caption = (
        "Share of trials decoded right from hidden neurons, by a linear decoder trained at one "
        f"time (rows) and tested at another (columns); {FOLDS} folds of {lives} lifetimes, classes "
        "equally frequent. White line: floor, which 5 % of decoders of shuffled labels exceed "
        "anywhere. Dotted: edges of the trial's periods. After Miconi (2023), figure 4."
    )
    with drawing():
        made = sheet(
            [PANEL_INCHES] * len(variables),
            [PANEL_INCHES] * len(found),
            caption,
            source_of(list(recordings.values())[-1]),
            gap=(0.2, 0.3),
            left=1.15,
            right=0.75,
            top=0.55,
        )
        for row, variable in zip(made.axes, variables, strict=True):
            for axes, (where, each) in zip(row, found.items(), strict=True):
                image = _panel(axes, each[variable])
                mark_edges(axes, periods_ms(some))
                last_row, first_column = variable == variables[-1], axes is row[0]
                axes.tick_params(labelbottom=last_row, labelleft=first_column, labelsize=7)
                if variable == variables[0]:
                    axes.set_title(f"{where[0]}\n{spans[where]}", fontsize=8.5)
                if last_row:
                    axes.set_xlabel("test time (ms)", fontsize=8)
                if first_column:
                    axes.set_ylabel(f"{_words(variable)}\ntraining time (ms)", fontsize=8)
            colour_bar(made, row[-1], image, "decoded right")
    return Drawn(made.figure, table)


def _panel(axes: Any, decoded: Decoded) -> Any:
    time = decoded.time_ms
    half = (time[1] - time[0]) / 2 if len(time) > 1 else 1.0
    extent = (time[0] - half, time[-1] + half, time[-1] + half, time[0] - half)
    image = axes.imshow(
        decoded.accuracy_TT, extent=extent, vmin=decoded.chance, vmax=1.0, cmap="cividis"
    )
    above = decoded.accuracy_TT > decoded.floor
    if above.any() and not above.all():
        axes.contour(
            time, time, decoded.accuracy_TT, [decoded.floor], colors="white", linewidths=0.8
        )
    return image


def _words(variable: str) -> str:
    return variable.replace("_", " ").replace("stimulus", "stimulus ")
