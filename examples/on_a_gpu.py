"""The same evolution on a GPU: `engine="gpu"`, and nothing else changes.

A generation of the published setting fits on one device at once, so larger populations cost little
there. Where no GPU is, the CPU engine runs the same lifetimes, which this script then says.
"""

import sys
import time

import torch

import evoplastic as ep

small = "--small" in sys.argv
engine = "gpu" if torch.cuda.is_available() else "cpu"
if engine == "cpu":
    print("no GPU is visible to torch: the CPU engine runs instead")

began = time.monotonic()
done = ep.evolve(
    "smoke" if small else "miconi2023",
    engine=engine,
    search={"popsize": 8 if small else 500},
    evolution={"generations": 2 if small else 50},
    tracking={"enabled": False},
)
print(f"{done.outcome.generation} generations on {engine} in {time.monotonic() - began:.1f} s")
print({task: round(accuracy, 3) for task, accuracy in done.held_out.items()})
