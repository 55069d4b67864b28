"""How far the kept centers of a run have gone from its first genome, field by field."""

from __future__ import annotations

import pandas as pd

from analysis.lineage.pedigree import Pedigree
from analysis.store import RunRecords
from evoplastic.records.names import INITIAL_NAME, generation_of

COLUMNS = ["generation", "individual", "genome", "field", "rms", "in_scales"]


def field_distances(records: RunRecords, pedigree: Pedigree) -> pd.DataFrame:
    """The root mean square over a field's numbers, those that may mutate, of their change.

        rms = sqrt(mean (value - first value)^2)

    `in_scales` is that of the numbers as evolution moves them, before a transform, in units of
    the field's scale, of which a mutation is `search.sigma`. `individual` is who the center is,
    where that is recorded.

    Raises:
        UsageError: a genome of the run is corrupt.
    """
    first_name = INITIAL_NAME.partition(".")[0]
    kept = sorted(path for path in records.genomes.values() if path.name.startswith("gen_"))
    if first_name not in records.genomes:
        return pd.DataFrame(columns=COLUMNS)
    first = records.genome(first_name)
    rows = []
    for path in kept:
        genome, generation = records.genome(path.stem), generation_of(path)
        moved = genome.layout.split((genome.center_G - first.center_G)[None])
        values, before = genome.values, first.values
        for field in genome.layout.fields:
            mask = field.mask(genome.layout.groups)
            if not bool(mask.any()):
                continue
            change = (values[field.name] - before[field.name])[mask].double()
            scales = field.scales(genome.layout.groups)
            stored = (moved[field.name][0] / scales)[mask].double()
            rows.append(
                {
                    "generation": generation,
                    "individual": pedigree.centers.get(generation - 1),
                    "genome": genome.digest[:16],
                    "field": field.name,
                    "rms": float(change.square().mean().sqrt()),
                    "in_scales": float(stored.square().mean().sqrt()),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype({"individual": "Int64"})
