"""The connections of a network, and what lifetimes add to them, as labelled arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evoplastic.checks import require

if TYPE_CHECKING:
    import xarray as xr

    from evoplastic.api.setting import Setting


def connections_of(setting: Setting, lives: xr.Dataset) -> xr.Dataset:
    """Innate weights, plasticity coefficients and what was learnt by the last recorded trial.

    Args:
        setting: of the genome that was recorded.
        lives: recording with p.

    Returns:
        w, alpha(target, source); change(life, target, source) = alpha p. Onto neurons that are not
        clamped, as `run` has them.

    Raises:
        UsageError: a genome whose weights are drawn at birth, so that each lifetime has its own.
    """
    import xarray as xr

    birth = setting.problem.lifetime.birth
    require(
        birth.weights == "innate",
        f"the genome holds no weights, they are drawn anew for each lifetime (birth.weights is "
        f"{birth.weights!r}); expected a genome of innate weights",
    )
    params = setting.problem.params(setting.genome.center_G[None])
    first = setting.genome.groups.num_clamped
    dims = ("target", "source")

    def rows(matrix_PNN: Any) -> Any:
        return dims, matrix_PNN[0, first:].cpu().numpy()

    found = xr.Dataset(
        {"w": rows(params.w_PNN), "alpha": rows(params.alpha_PNN)},
        coords={name: lives.coords[name] for name in (*dims, "target_group", "source_group")},
        attrs={**lives.attrs, "after_trial": int(lives.trial.values[-1]) + 1},
    )
    found["change"] = found.alpha * lives.p.isel(trial=-1)
    return found.assign(change=found.change.transpose("life", *dims))
