"""What a run left behind: its curve from the journal, and the networks of its generations.

A run keeps every evaluated center. RUN@GENERATION names one wherever a genome is asked for.
"""

import sys
from pathlib import Path

import numpy as np

import evoplastic as ep
from analysis.store import open_run

small = "--small" in sys.argv
given = [word for word in sys.argv[1:] if not word.startswith("--")]
if given:
    run_dir = Path(given[0])
else:
    recipe = "smoke" if small else "laptop"
    run_dir = ep.evolve(recipe, tracking={"enabled": False}).run_dir

records = open_run(run_dir)
print(f"{run_dir}: {records.status}, {len(records.generations)} generations, seed {records.seed}")
for event in records.evaluations:
    genome = ep.load(f"{run_dir}@{event.generation}")
    parents = ", ".join(parent.digest[:8] for parent in genome.parents) or "-"
    norm = float(np.linalg.norm(genome.values["w"]))
    print(
        f"generation {event.generation:>4}  held-out {event.held_out_accuracy:.1%}  |w| {norm:.2f}"
        f"  genome {genome.digest[:8]}  from {parents}"
    )

# A genome of the middle of the run on a task of our choice, with plasticity and without:
middle = records.evaluations[len(records.evaluations) // 2].generation
scores = ep.evaluate(f"{run_dir}@{middle}", "and", lifetimes=4 if small else 64)
print(f"generation {middle} on 'and':", scores.accuracy.mean("life").sel(task="and").to_series())
