"""The environments of a run of POET, their genomes, and who moved: files in place of those before.

Genomes are kept as far as there is room, those of the newest environments first.
"""

from __future__ import annotations

from torch import Tensor

from cluster.poet.environments import PoetState
from cluster.poet.tables import environments_file, environments_table, transfers_table
from cluster.session.kept import most_kept
from cluster.session.lineage import Lineage
from evoplastic.genome.genome import Genome
from evoplastic.records.names import (
    ENVIRONMENTS_FILE,
    ENVIRONMENTS_NAME,
    GENOME_SUFFIX,
    PAIRS,
    TRANSFERS_NAME,
)
from evoplastic.storage import remove_others, write_atomically


def keep_pairs(
    lineage: Lineage, state: PoetState, genomes: dict[int, Tensor], generation: int
) -> None:
    """Write the environments of a generation, the genomes that belong to them, and all transfers.

    Raises:
        EnvironmentFault: no space or no permission.
    """
    experiment, directory = lineage.experiment, lineage.directory
    folder = directory.genomes / PAIRS
    room = most_kept(experiment.layout, experiment.config.evaluation.genomes_mib)
    written: set[str] = set()
    for number in sorted(genomes, reverse=True)[:room]:
        environment = state.of(number)
        at = generation if environment.retired is None else environment.retired
        of_run = lineage.genome(at, genomes[number])
        provenance = of_run.provenance | {"environment": environment.name}
        name = f"{environment.name}{GENOME_SUFFIX}"
        Genome(experiment.layout, of_run.center_G, provenance).save(folder / name)
        written.add(name)
    remove_others(folder, f"e*{GENOME_SUFFIX}", written)
    path, run_id = directory.path, directory.run_id
    write_atomically(path / ENVIRONMENTS_FILE, environments_file(state, run_id).encode())
    write_atomically(path / ENVIRONMENTS_NAME, environments_table(state, run_id))
    write_atomically(path / TRANSFERS_NAME, transfers_table(state, run_id))
