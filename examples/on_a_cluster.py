"""The same evolution on workers of Ray: here, or on a cluster that runs already.

    python examples/on_a_cluster.py                       two workers on this machine
    python examples/on_a_cluster.py --address HOST:PORT   the workers of a running cluster

Same seed, same bits: neither the number of workers nor their death changes the result.
"""

import sys

import evoplastic as ep

if __name__ == "__main__":
    small = "--small" in sys.argv
    address = sys.argv[sys.argv.index("--address") + 1] if "--address" in sys.argv else None
    settings = {
        "evolution": {"generations": 2 if small else 100},
        "tracking": {"enabled": False},
    }
    recipe = "smoke" if small else "laptop"
    spread = ep.evolve(recipe, workers=None if address else 2, address=address, **settings)
    alone = ep.evolve(recipe, **settings)
    print(f"on workers: genome {spread.genome.digest[:16]}")
    print(f"alone:      genome {alone.genome.digest[:16]}")
    assert spread.genome.digest == alone.genome.digest
