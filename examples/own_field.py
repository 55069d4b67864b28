"""A field of your own in the genome: here a learning rate of each neuron, which evolves.

Any coefficient of a rule can be one: a number, one of each neuron ("target", "source"), of each
pair of them by an outer product ("rank_one"), or of each connection ("full"). The field is named
in the genome's file, has bounds, mutates at a scale of its own, and is read by the networks.
docs/extending.md tells how to add a field that is no coefficient.
"""

import sys

import evoplastic as ep

small = "--small" in sys.argv
done = ep.evolve(
    "smoke" if small else "oja-laptop",
    rule={
        "name": "oja",
        "eta": {"form": "target", "init": 0.03, "transform": "positive", "scale": 0.3},
    },
    engine="reference" if small else "auto",  # to compile takes longer than so few lifetimes
    evolution={"generations": 3 if small else 200},
    tracking={"enabled": False},
)
first = ep.load(f"{done.run_dir}@initial").values
last = done.genome.values
for name, value in last.items():
    print(f"{name}: shape {tuple(value.shape)}, moved by {float((value - first[name]).norm()):.4f}")
(field,) = set(last) - {"w", "alpha"}
print(
    f"{field}: from {first[field][-1]:.4f} to between {last[field].min():.4f} and "
    f"{last[field].max():.4f}"
)
