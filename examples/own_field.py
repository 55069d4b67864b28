"""A field of your own in the genome: here a learning rate of each neuron, which evolves.

Any number of a rule, and time constants and thresholds of neurons, can be one: a section in place
of the number says in which form (one for all, for each target, for each pair of neuron groups, for
each connection) it is held, and where it begins. The field is named in the genome's file, mutates
at a scale of its own, and is read by the networks on all engines. docs/genome.md lists the forms;
docs/extending.md tells how to add a field that no recipe can declare.
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
