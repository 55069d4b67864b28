"""Perturbations, mutations and gradients on the GPU: those of the definition, bit for bit."""

# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import triton
import triton.language as tl

from evoplastic.engines.gpu.bundles import Memory
from evoplastic.engines.gpu.engine import gpu_device
from evoplastic.engines.gpu.launch import bring_numbers
from evoplastic.engines.gpu.perturbation import draw_noise
from evoplastic.engines.gpu.sizes import make_sizes, make_tiles
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.layout import Layout
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random.draws import trial_perturbations
from evoplastic.search.config import ESConfig
from evoplastic.search.mutation import accumulate_mutations, perturbed_pairs
from tests.evoplastic.engines.cases import make_bank, make_batch, make_config
from tests.gpu.part import Row

SEED, GENERATION = 2**64 - 3, 5


@triton.jit
def noise_probe(memory, numbers, told, STEPS: tl.constexpr, S: tl.constexpr):
    """The perturbations of one trial."""
    trial = tl.load(told).to(tl.int32)
    draw_noise(memory, numbers, trial, tl.load(told + 1).to(tl.uint32), 0, STEPS, S)


def rows(*, tiny: bool) -> Iterator[Row]:
    """What is the same in every bit."""
    for neurons in (13,) if tiny else (13, 70, 512):
        yield noise(neurons)
    neurons, pairs = (13, 3) if tiny else (70, 25)
    layout, config = Layout(NeuronGroups(num_neurons=neurons)), ESConfig(popsize=2 * pairs)
    center_G = layout.initial(5, GenomeConfig())
    drawn = [
        perturbed_pairs(center_G, layout, config, SEED, GENERATION, 0, pairs, engine=engine).cpu()
        for engine in ("reference", "gpu")
    ]
    yield {"name": f"mutations of {pairs} pairs, {neurons} neurons", "holds": torch.equal(*drawn)}
    sums = []
    for engine in ("reference", "gpu"):
        sum_G, weights = np.zeros(layout.size), np.random.default_rng(0).normal(size=pairs)
        accumulate_mutations(sum_G, layout, config, SEED, GENERATION, 0, weights, engine=engine)
        sums.append(sum_G.view(np.uint64))
    holds = bool(np.array_equal(sums[0], sums[1]))
    yield {"name": f"gradient of {pairs} pairs, {neurons} neurons", "holds": holds}


def noise(neurons: int) -> Row:
    """One trial's perturbations of the neurons that are not clamped."""
    groups, device = NeuronGroups(num_neurons=neurons), torch.device(gpu_device())
    config, batch = make_config(), make_batch([make_bank(1)], 2)
    trial, stream, steps = 2, int(batch.perturb_stream_P[0]), batch.tables.num_steps
    sizes = make_sizes(groups, batch, config, make_tiles(groups, config))
    xi = torch.zeros((steps, sizes.wide), device=device)
    noise_probe[(1,)](
        Memory(*[xi] * len(Memory._fields)),
        bring_numbers(2, (0, 0, 0), batch, config, device),
        torch.tensor([trial, stream], device=device),
        STEPS=steps,
        S=sizes,
    )
    xi_STN, stream_P = trial_perturbations(batch, trial, steps, groups, config)
    expected = xi_STN[stream_P[0]][:, groups.num_clamped :]
    got = xi.cpu().numpy()[:, : sizes.num_unclamped]
    return {
        "name": f"perturbations, {neurons} neurons",
        "hits": int((expected != 0).sum()),
        "holds": bool(np.array_equal(got.view(np.uint32), expected.view(np.uint32))),
    }
