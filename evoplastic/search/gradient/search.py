"""Gradient through the lifetime: PyTorch's Adam along the mean gradient of the center's lifetimes.

    g_p     = d objective of lifetime p / d center, those left out that are not finite
    g       = mean over lifetimes of g_p min(1, lifetime_clip_norm / |g_p|)
    g       = g min(1, clip_norm / |g|)
    center' = Adam(center, g), then projected into the bounds of the fields

Lifetimes are laid out in the order of their numbers, so that the mean does not depend on who
simulated them. The gradient of a chaotic lifetime is larger than that of others by orders of
magnitude and says nothing; clipping each one keeps it from speaking for all. Sources: Miconi,
Stanley & Clune 2018 (arXiv 1804.02464) and Miconi et al. 2019 (arXiv 2002.10585) for the gradient;
Kingma & Ba 2015 (arXiv 1412.6980) for Adam; Pascanu et al. 2013 (arXiv 1211.5063) for clipping.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from evoplastic import machine
from evoplastic.checks import require
from evoplastic.genome.layout import Layout
from evoplastic.records.names import CLIPPED_LIFETIMES, GRADIENT_NORM
from evoplastic.search.asking import FloatArray
from evoplastic.search.gradient.config import GradientConfig
from evoplastic.search.gradient.proposal import CenterProposal
from evoplastic.search.moments import AdamState, first_state, restored
from evoplastic.search.protocol import Float64Array, Proposal, Told
from evoplastic.search.threads import one_thread

COPIES = 3  # of a generation's gradients, while they are put together


class GradientSearch:
    """The search itself; final.

    Raises:
        UsageError: gradients that do not fit in memory.
    """

    def __init__(
        self, options: GradientConfig, layout: Layout, *, seed: int, engine: str = "cpu"
    ) -> None:
        """Take the options and the layout of genomes; nothing is drawn, and no engine helps."""
        self._options, self._layout = options, layout
        needs, has = COPIES * 4 * options.popsize * layout.size, machine.memory_bytes()
        require(
            needs <= has,
            f"gradients of {options.popsize:,} lifetimes by {layout.size:,} numbers take "
            f"{needs / 1e9:.3g} GB, {COPIES} copies of them counted, and this machine has "
            f"{has / 1e9:.3g} GB; lower search.popsize",
        )

    @property
    def popsize(self) -> int:
        """P, lifetimes of a generation."""
        return self._options.popsize

    def init(self, center_G: Tensor) -> AdamState:
        """A search that has taken no step."""
        return first_state(center_G)

    def ask(self, state: AdamState, generation: int) -> CenterProposal:
        """Lifetimes of the center."""
        return CenterProposal(generation, self._options.asked, 0, self.popsize)

    def tell(self, state: AdamState, proposal: Proposal, loss_P: Float64Array) -> Told[AdamState]:
        """Take one step; lifetimes whose loss or gradient is not finite are left out.

        Where all are so, or no gradient leads anywhere, the state stays as it is.

        Raises:
            UsageError: the number of losses is not popsize.
        """
        require(
            loss_P.shape == (self.popsize,),
            f"{loss_P.shape} losses came back, expected popsize = {self.popsize}",
        )
        assert isinstance(proposal, CenterProposal)
        assert proposal.beside_PX is not None
        gradient_PG = np.asarray(proposal.beside_PX)
        sound_P = np.isfinite(loss_P) & np.isfinite(gradient_PG).all(1)
        num_failed = int((~sound_P).sum())
        if num_failed == len(loss_P):
            return Told(state, False, num_failed, {})
        gradient_PG = gradient_PG[sound_P]
        share_P = self._shares(gradient_PG)
        norm = float(torch.linalg.vector_norm(self._mean(gradient_PG).double()))
        if norm > 0:
            clipped_PG = share_P[:, None].astype(np.float32) * gradient_PG
            state = self._stepped(state, self._mean(clipped_PG))
        numbers = {
            GRADIENT_NORM: norm,
            CLIPPED_LIFETIMES: float((share_P < 1).mean()),
        }
        return Told(state, norm > 0, num_failed, numbers)

    def _shares(self, gradient_PG: FloatArray) -> Float64Array:
        """What is left of each gradient, so that its norm is at most `lifetime_clip_norm`."""
        most = self._options.lifetime_clip_norm
        free_PX = gradient_PG[:, self._layout.mask_G.numpy()]
        norm_P = np.linalg.norm(free_PX.astype(np.float64), axis=1)
        return np.divide(most, norm_P, out=np.ones_like(norm_P), where=norm_P > most)

    def _mean(self, gradient_PG: FloatArray) -> Tensor:
        """The mean [G], without what is masked."""
        mean_G = gradient_PG.mean(0, dtype=np.float64).astype(np.float32)
        return torch.where(self._layout.mask_G, torch.from_numpy(mean_G), 0.0)

    def _stepped(self, state: AdamState, gradient_G: Tensor) -> AdamState:
        """One step of PyTorch's Adam, along the clipped gradient."""
        options = self._options
        center_G = state.center_G.clone().requires_grad_()
        center_G.grad = gradient_G * self._layout.unit_G
        adam = torch.optim.Adam(
            [center_G],
            lr=options.learning_rate,
            betas=(options.beta1, options.beta2),
            foreach=False,
        )
        adam.state[center_G] = {
            "step": state.t.clone(),
            "exp_avg": state.m_G.clone(),
            "exp_avg_sq": state.v_G.clone(),
        }
        with one_thread():
            torch.nn.utils.clip_grad_norm_([center_G], options.clip_norm, foreach=False)
            adam.step()
        now = adam.state[center_G]
        moved_G = self._layout.stepped(state.center_G, center_G.detach())
        return AdamState(
            self._layout.project(moved_G), now["exp_avg"], now["exp_avg_sq"], now["step"]
        )

    def center(self, state: AdamState) -> Tensor:
        """The genome that lives."""
        return state.center_G

    def tensors(self, state: AdamState) -> dict[str, Tensor]:
        """Center and Adam's moments."""
        return state._asdict()

    def restore(self, tensors: Mapping[str, Tensor]) -> AdamState:
        """The state of a checkpoint's tensors.

        Raises:
            UsageError: other names or shapes than those of this search.
        """
        return restored(tensors, self._layout, "gradient")

    def warm_up(self, state: AdamState) -> None:
        """Load the optimizer."""
        self._stepped(state, torch.zeros_like(state.center_G))
