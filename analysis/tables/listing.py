"""The runs of a store as one table, a row for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import pandas as pd

from analysis.listing import ListedRun, ListedSetting

Frame: TypeAlias = pd.DataFrame
FIRST = ("setting", "name", "seed", "held_out", "bias", "worst_task")
OF_SETTING = ("held_out_mean", "held_out_low", "held_out_high", "bias_mean", "runs")


def listing_table(settings: Sequence[ListedSetting]) -> Frame:
    """What each run has, and the spread over the runs of its setting, in the order given."""
    rows: list[dict[str, Any]] = []
    for setting in settings:
        spread = (
            setting.mean,
            min(setting.values, default=None),
            max(setting.values, default=None),
            setting.bias,
            len(setting.runs),
        )
        of_setting = dict(zip(OF_SETTING, spread, strict=True))
        rows += [{**vars(run), **of_setting} for run in setting.runs]
    rest = [name for name in ListedRun.__dataclass_fields__ if name not in FIRST]
    table = pd.DataFrame(rows, columns=[*FIRST, *OF_SETTING, *rest])
    return table.astype({"seed": "Int64", "generations": "Int64"})
