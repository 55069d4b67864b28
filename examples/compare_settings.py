"""Two settings, several seeds each: is the difference more than the spread over seeds?

Runs of one seed begin with the same genome and meet the same lifetimes, so seeds pair.
"""

import sys

import numpy as np

import evoplastic as ep

small = "--small" in sys.argv
recipe, seeds = ("smoke", (1, 2)) if small else ("laptop", (1, 2, 3, 4, 5))
settings = {"as it is": {}, "no baseline": {"rule": {"baseline": "none"}}}

reached = {name: [] for name in settings}
for seed in seeds:
    for name, changed in settings.items():
        done = ep.evolve(recipe, seed=seed, tracking={"enabled": False}, **changed)
        reached[name].append(np.mean(list(done.held_out.values())))
        print(f"seed {seed}, {name}: {reached[name][-1]:.1%} on held-out tasks")

for name, values in reached.items():
    print(f"{name}: {np.mean(values):.1%} +- {np.std(values, ddof=1):.1%} over {len(seeds)} seeds")
difference = np.subtract(*reached.values())
error = difference.std(ddof=1) / len(seeds) ** 0.5
print(f"paired difference {difference.mean():+.1%}, standard error {error:.1%}")
