"""The genome of another run that a run begins with: the one that its configuration names."""

from __future__ import annotations

from cluster.config.run import RunConfig
from cluster.rundir import RunDirectory
from evoplastic.checks import UsageError, require
from evoplastic.genome.genome import Genome


def require_named(config: RunConfig, start: Genome | None) -> None:
    """Refuse a genome to start from that is not the one that the configuration names.

    Raises:
        UsageError: another one came, or none, or one that is not named.
    """
    named, came = config.warm_start.genome, None if start is None else start.digest
    require(
        named == came,
        f"warm_start.genome is {named}, and the genome that came with it has the digest {came}; "
        "name a genome with --from (start_from=), which sets both",
    )


def kept_start(config: RunConfig, directory: RunDirectory) -> Genome | None:
    """The copy that a run keeps of the genome that it began with; None where it drew its own.

    Raises:
        UsageError: the copy is missing, damaged, or of another genome.
    """
    named = config.warm_start.genome
    if named is None:
        return None
    try:
        start = Genome.load(directory.start)
        require(start.digest == named, f"its digest is {start.digest}, expected {named}")
    except UsageError as error:
        raise UsageError(
            f"{directory.start} is not the genome that this run began with ({error}); restore it "
            "from a copy (its tracking store has one among the run's artifacts)"
        ) from error
    return start
