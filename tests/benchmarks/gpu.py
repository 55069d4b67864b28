"""What the report says of GPUs: `make bench` measures none, `make gpu` does where there is one."""

from __future__ import annotations

from tests.gpu.targets import PAPER, TARGETS


def report() -> list[str]:
    """The section on GPUs."""
    most_ms, most_s, times = TARGETS.values()
    return [
        "## GPU",
        "",
        "No GPU has been measured: the kernels have run under Triton's interpreter, and have",
        "been compiled for compute capability 9.0 and their machine code read. Where there is a",
        "GPU, `make gpu` checks and measures it within eight minutes; it needs Python, torch,",
        "triton and numpy, and jax for the rival, installs nothing, and uses no network. It prints",
        'as it goes and writes `gpu.json`, or the file that `ARGS="--out FILE"` says:',
        "",
        "| part | what it finds |",
        "|---|---|",
        "| parity | every schedule, layout and kind of trials beside the reference |",
        "| bits | perturbations, mutations and gradients, bit for bit |",
        "| speed | seconds per generation and share of the fp32 peak: the published setting at 500 "
        "and 16,384 lives, modulated by the network, self-paced, Oja's rule |",
        "| evolution | 50 generations of `miconi2023` from end to end |",
        "| rival | the JAX program on the same GPU |",
        "",
        f"Targets, for {PAPER}:",
        f"a generation in at most {most_ms:g} ms, 1,000 generations with their search in at most",
        f"{most_s:g} s, at least {times:g} times as fast as the JAX program.",
        "",
    ]
