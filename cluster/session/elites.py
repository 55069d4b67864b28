"""The elites of a run whose search illuminates behaviour: a genome file each, and a map of them.

Files are those of the last measurement; the map says of each cell how its elite behaves, how well
it does, which genome it is and which individual of the pedigree. Its parents are individuals, too,
of which no file need be kept, so its own names none.
"""

from __future__ import annotations

import json

import numpy as np

from cluster.session.kept import most_kept
from cluster.session.lineage import Lineage
from evoplastic.genome.genome import Genome
from evoplastic.records.names import ARCHIVE_NAME, ELITES, GENOME_SUFFIX
from evoplastic.search.archive import Archive
from evoplastic.storage import remove_others, write_atomically


def keep_elites(lineage: Lineage, archive: Archive, generation: int) -> None:
    """Write the elites of a generation in place of those before; the best, as far as there is room.

    Raises:
        EnvironmentFault: no space or no permission.
    """
    experiment, folder = lineage.experiment, lineage.directory.genomes / ELITES
    most = most_kept(experiment.layout, experiment.config.evaluation.genomes_mib)
    cells = []
    written: set[str] = set()
    for elite in np.argsort(archive.loss_E, kind="stable"):
        place = archive.place(int(elite))
        behaviour = [float(value) for value in archive.behaviour_ED[elite]]
        individual = int(archive.individual_E[elite])
        of_center = lineage.genome(generation, archive.genomes_EG[int(elite)])
        provenance = of_center.provenance | {
            "cell": ",".join(map(str, place)),
            "individual": str(individual),
            "behaviour": json.dumps(
                dict(zip((axis.name for axis in archive.axes), behaviour, strict=True))
            ),
        }
        genome = Genome(experiment.layout, of_center.center_G, provenance)
        if len(written) < most:
            name = "_".join(["cell", *(f"{bin_:03d}" for bin_ in place)]) + GENOME_SUFFIX
            genome.save(folder / name)
            written.add(name)
        cells.append(
            {
                "cell": list(place),
                "behaviour": behaviour,
                "loss": float(archive.loss_E[elite]),
                "genome": genome.digest,
                "individual": individual,
            }
        )
    described = {
        "generation": generation,
        "axes": [axis._asdict() for axis in archive.axes],
        "elites": cells,
    }
    text = json.dumps(described, indent=1, sort_keys=True)
    write_atomically(lineage.directory.path / ARCHIVE_NAME, text.encode())
    remove_others(folder, f"cell_*{GENOME_SUFFIX}", written)
