"""Connections of a network in an order that shows their structure, and their spectra."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.inside.recorded import CLAMPED
from evoplastic.checks import require

MATRICES = ("w", "alpha", "change")


def neuron_order(connections: Any) -> list[int]:
    """Neurons group after group, and within a group alike ones side by side.

    Alike are neurons whose innate weights, to and from the others, are close: leaves of a
    hierarchical clustering (SciPy's `linkage`, average of cosine distances).

    Args:
        connections: w(target, source) with coordinates target, source and source_group.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    source = connections["source"].values
    group = connections["source_group"].values
    whole = connections["w"].reindex(target=source, fill_value=0.0).values
    both = np.concatenate([whole, whole.T], axis=1)
    order: list[int] = []
    for name in dict.fromkeys(group.tolist()):
        own = np.flatnonzero(group == name)
        if len(own) > 2:
            distance = np.nan_to_num(pdist(both[own], "cosine"), nan=1.0)  # none of no weights
            own = own[leaves_list(linkage(distance, "average", optimal_ordering=True))]
        order += source[own].tolist()
    return order


def spectra(connections: Any) -> pd.DataFrame:
    """Eigenvalues of the connections among unclamped neurons, and singular values of the change.

    when = "birth": of w; "life l": of w + change of life l, at its last recorded trial

        activation' = (w_eff rate - activation) / tau

    so that an eigenvalue of a real part above 1 lets activity around zero grow.

    Returns:
        Columns when, kind (eigenvalue, singular value), rank, real, imaginary.
    """
    own = ~np.isin(connections["source_group"].values, CLAMPED)
    inner = connections["source"].values[own]
    require(
        set(inner) <= set(connections["target"].values.tolist()),
        "the connections lack targets that are sources; expected all unclamped neurons",
    )
    w = connections["w"].sel(target=inner, source=inner).values
    change = connections["change"].sel(target=inner, source=inner).values
    rows = [_eigenvalues("birth", w)]
    rows += [_eigenvalues(f"life {life}", w + each) for life, each in enumerate(change)]
    for when, matrix in (("birth", w), *((f"life {at}", each) for at, each in enumerate(change))):
        values = np.linalg.svd(matrix, compute_uv=False)
        rows.append(_rows(when, "singular value", values, np.zeros_like(values)))
    return pd.concat(rows, ignore_index=True)


def connections_table(connections: Any) -> pd.DataFrame:
    """A row for each connection: groups, w, alpha, mean and spread of the change over lives."""
    target, source = np.meshgrid(
        connections["target"].values, connections["source"].values, indexing="ij"
    )
    groups = dict(
        zip(connections["source"].values, connections["source_group"].values, strict=True)
    )
    return pd.DataFrame(
        {
            "target": target.ravel(),
            "source": source.ravel(),
            "target_group": [groups[each] for each in target.ravel()],
            "source_group": [groups[each] for each in source.ravel()],
            "w": connections["w"].values.ravel(),
            "alpha": connections["alpha"].values.ravel(),
            "change_mean": connections["change"].values.mean(0).ravel(),
            "change_std": connections["change"].values.std(0).ravel(),
        }
    )


def _eigenvalues(when: str, matrix: np.ndarray) -> pd.DataFrame:
    values = np.linalg.eigvals(matrix)
    values = values[np.argsort(-values.real)]
    return _rows(when, "eigenvalue", values.real, values.imag)


def _rows(when: str, kind: str, real: np.ndarray, imaginary: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "when": when,
            "kind": kind,
            "rank": np.arange(1, len(real) + 1),
            "real": real,
            "imaginary": imaginary,
        }
    )
