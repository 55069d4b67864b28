"""One network learns a task that evolution never showed it, and we look inside while it does.

Lifetimes are recorded at their beginning and at their end. What comes back is an xarray.Dataset:
every array knows its axes, so that means, selections and groups are said by name.
"""

import sys
from pathlib import Path

import evoplastic as ep

small = "--small" in sys.argv
genome = ep.load(Path(__file__).parents[1] / "genomes" / "miconi2023.safetensors")
inside = ep.run(
    genome,
    task="dms",  # delayed match to sample, held out from this genome's evolution
    lifetimes=2 if small else 32,
    record=("rate", "mod", "choice", "p"),
    trials=[*range(20), *range(380, 400)],
)
first, last = inside.isel(trial=slice(0, 20)), inside.isel(trial=slice(20, 40))
print(f"correct in the first 20 trials: {float(first.correct.mean()):.0%}")
print(f"correct in the last 20 trials:  {float(last.correct.mean()):.0%}")

change = abs(inside.p).mean(["life", "target", "source"])
print(f"mean |p| after trial 1: {float(change[0]):.5f}, after trial 400: {float(change[-1]):.5f}")

by_group = abs(last.rate).groupby("group").mean(...)
print("mean |rate| of each group:")
for group, rate in zip(by_group.group.values, by_group.values, strict=True):
    print(f"  {group:<11}{rate:.3f}")

# Which neurons tell the two target actions apart when the answer is due?
answer = last.rate.isel(step=slice(*inside.attrs["response_steps"])).mean("step")
for action in (0, 1):
    shown = answer.where(last.target_action == action).mean(["life", "trial"])
    print(f"response neurons when action {action} is right: {shown.values[-2:].round(2)}")
