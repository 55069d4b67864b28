"""A run that begins with a genome of another one: from how it is named to the genome itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from evoplastic.genome.genome import Genome


def warm_started(
    config: RunConfig,
    start_from: str | Path | Genome | None = None,
    *,
    adapt: bool = False,
    there: Path | None = None,
) -> tuple[RunConfig, Genome | None]:
    """The configuration with the digest of the genome to begin with, and that genome.

    Args:
        config: whose `warm_start` may name a genome, too.
        start_from: a genome, or a reference to one, as everywhere; none means that of `config`.
        adapt: whether fields and sizes may differ; the configuration may say so, too.
        there: directory of a run that is gone on with if it is there: it keeps its own copy, so a
            reference that it began with is not looked up again.

    Raises:
        UsageError: there is no such genome, listing what was tried.
    """
    from cluster.config.run import load_config
    from cluster.config.sections import WarmStartConfig
    from evoplastic.api.setting import load
    from evoplastic.genome.genome import Genome
    from evoplastic.records.names import CONFIG_NAME

    section = config.warm_start
    ref = section.genome if start_from is None else start_from
    if ref is None:
        return config, None
    given = str(ref) if not isinstance(ref, Genome) else ref.digest
    if start_from is None and section.given is not None:
        given = section.given  # a configuration that a run has written
    adapt = adapt or section.adapt
    kept = None if there is None or not (there / CONFIG_NAME).is_file() else there / CONFIG_NAME
    if kept is not None:
        begun = load_config(kept).warm_start
        if begun.given == given:
            of_run = WarmStartConfig(genome=begun.genome, given=given, adapt=adapt)
            return config.model_copy(update={"warm_start": of_run}), None
    genome = load(ref, store=config.tracking.uri)
    chosen = WarmStartConfig(genome=genome.digest, given=given, adapt=adapt)
    return config.model_copy(update={"warm_start": chosen}), genome
