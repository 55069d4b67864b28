"""The connections of a network, and what lifetimes add to them, as labelled arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evoplastic.checks import require

if TYPE_CHECKING:
    import xarray as xr

    from analysis.inside.fixed_points import Dynamics
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


def dynamics_of(setting: Setting, connections: xr.Dataset) -> dict[str, Dynamics]:
    """The dynamics while nothing is shown and nothing is answered, at birth and after lifetime 1.

    Of all neurons but those set from outside, of which the bias alone is not 0, and the response
    neurons, which are silent then.

    Raises:
        UsageError: a network whose modulatory neurons set gains or thresholds of others.
    """
    import numpy as np

    from analysis.inside.fixed_points import Dynamics

    lifetime, groups = setting.problem.lifetime, setting.genome.groups
    for target in ("gain", "threshold"):
        require(
            lifetime.modulation.onto(target) is None,
            f"modulatory neurons set the {target} of others (modulation is "
            f"{lifetime.modulation.name!r}); fixed points are sought where they set none",
        )
    neurons = np.arange(groups.num_clamped, groups.response.start)
    params = setting.problem.params(setting.genome.center_G[None])
    leak = params.intrinsic.leak(lifetime.dynamics, 1.0)
    threshold = params.intrinsic.threshold(lifetime.dynamics)

    def each(value: Any) -> Any:
        """Of the neurons, from one number or one of each neuron."""
        known = np.asarray(value, dtype=np.float64).reshape(-1)
        return np.broadcast_to(known, groups.num_neurons)[neurons]

    w = connections.w.astype(np.float64)
    learnt = w + connections.change.isel(life=0)
    return {
        name: Dynamics(
            a_UU=matrix.sel(target=neurons, source=neurons).values,
            drive_U=matrix.sel(target=neurons, source=groups.bias).values
            * lifetime.dynamics.bias_rate,
            tau_ms_U=1.0 / each(leak),
            threshold_U=each(threshold),
            neurons=neurons,
        )
        for name, matrix in (("at birth", w), ("after a lifetime", learnt))
    }
