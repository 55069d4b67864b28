"""A genome changed in Python: some hidden neurons fall silent. What does it still learn?

Both networks meet the same lifetimes, so their difference can be taken life by life.
"""

import sys
from pathlib import Path

import evoplastic as ep

small = "--small" in sys.argv
lifetimes = 4 if small else 64
intact = ep.load(Path(__file__).parents[1] / "genomes" / "miconi2023.safetensors")
groups = intact.groups
hidden = range(groups.num_clamped, groups.modulators.start)

before = ep.evaluate(intact, "dms", lifetimes, controls=False).accuracy.sel(task="dms")
for name, lost in {"first ten": hidden[:10], "last ten": hidden[-10:]}.items():
    values = intact.values
    for field in ("w", "alpha"):
        values[field][:, list(lost)] = 0.0  # columns: what those neurons send
    lesioned = ep.Genome(intact.layout, intact.layout.join(values))
    after = ep.evaluate(lesioned, "dms", lifetimes, controls=False).accuracy.sel(task="dms")
    change = (after - before).isel(condition=0)
    error = float(change.std()) / lifetimes**0.5
    print(
        f"without the {name} hidden neurons: {float(after.mean()):.1%} correct, "
        f"{float(change.mean()):+.1%} +- {error:.1%} against the intact network"
    )
