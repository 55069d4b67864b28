"""The runs of a tracking store, as `evoplastic runs` lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analysis.tables.listing import Frame


def runs(store: str | None = None, where: str | Sequence[str] = ()) -> Frame:
    """The runs of a store, those of the setting with the best mean held-out accuracy first.

    A setting is all runs that differ in seed, name and machinery alone; within one, the best run
    comes first.

    Args:
        store: MLflow tracking URI; none means MLFLOW_TRACKING_URI, else ./mlflow.db.
        where: conditions as `"search.sigma=0.05"` or `"held_out>0.9"`, one or several, all of which
            must hold; see `evoplastic runs --help`.

    Returns:
        One row for each run. Its place: setting (digest), name, seed, status, generations,
        experiment, overrides (what differs from the recipe), run_id, mlflow_run_id. Its last
        evaluation: held_out (accuracy, mean over tasks), bias (half of what held-out tasks differ
        by that are each other's negation), worst_task, above_fixed_policy, fixed_policy. Over the
        runs of its setting: held_out_mean, held_out_low, held_out_high, bias_mean, runs. What a run
        has not is NaN or None. `settings` is a mapping by dotted path.

    Raises:
        UsageError: no such store, a condition that is none, or a key that no run has.
        EnvironmentFault: the store does not answer.
    """
    from analysis.listing import list_runs
    from analysis.tables.listing import listing_table

    return listing_table(list_runs(store, [where] if isinstance(where, str) else where))
