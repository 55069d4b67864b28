"""Peak memory of a large generation, in a process of its own."""

from __future__ import annotations

from pathlib import Path

from evoplastic.benchmark.generation import Setting, first_generation, lifetime_config
from evoplastic.engines import run_lifetimes
from evoplastic.lifetime.batch import PlasticParams
from evoplastic.trials.stacked import stack_tables
from tasks.suites.loading import load_suite

SETTING = Setting(engine="cpu", population=4096, neurons=70, trials=100, threads=0)


def forget_peak() -> None:
    """Count this process's peak from now on; making the genomes had one of its own."""
    Path("/proc/self/clear_refs").write_text("5")


def memory_mib(field: str) -> float:
    """VmRSS, the memory that this process holds now, or VmHWM, the most since `forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def main() -> None:
    """Live the generation, and print what that took beyond holding its genomes."""
    banks = stack_tables(load_suite("miconi2023").train_samples)
    params, groups, batch = first_generation(SETTING, banks)
    config = lifetime_config(SETTING)
    two = batch._replace(
        task_P=batch.task_P[:2],
        trial_stream_P=batch.trial_stream_P[:2],
        perturb_stream_P=batch.perturb_stream_P[:2],
    )
    few = PlasticParams(params.w_PNN[:2], params.alpha_PNN[:2])
    run_lifetimes(few, groups, two, config, engine="cpu")  # compiles
    forget_peak()
    before = memory_mib("VmRSS")
    result = run_lifetimes(params, groups, batch, config, engine="cpu")
    genomes = sum(t.numel() * t.element_size() for t in (params.w_PNN, params.alpha_PNN)) / 2**20
    results = sum(t.numel() * t.element_size() for t in result) / 2**20
    grown = memory_mib("VmHWM") - before
    print(
        f"Population {SETTING.population}, {SETTING.trials} trials: genomes {genomes:.0f} MiB, "
        f"results {results:.1f} MiB; the engine adds at most {grown:.0f} MiB at its peak, results "
        f"included: {(genomes + grown) / (genomes + results):.2f} x (genomes + results)."
    )


if __name__ == "__main__":
    main()
