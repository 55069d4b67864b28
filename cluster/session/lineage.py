"""Where the centers of a run come from: the first genome, and those that were measured since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import Tensor

from cluster.experiment import Experiment
from cluster.rundir import RunDirectory
from cluster.session.kept import keep_center, most_kept, thin_out
from evoplastic.checks import require
from evoplastic.genome.genome import Genome
from evoplastic.genome.parents import OPERATOR, Parent
from evoplastic.records.events import EvaluationEvent, Event
from evoplastic.records.names import CENTER_NAME, INITIAL_NAME


@dataclass
class Lineage:
    """The genomes of a run, each with the digest of the one before."""

    experiment: Experiment
    directory: RunDirectory
    first: Genome
    evaluated: dict[int, str] = field(default_factory=dict)  # digest of each measured center

    @staticmethod
    def measured(events: Iterable[Event]) -> dict[int, str]:
        """The digest of each measured center that a journal tells of."""
        return {
            event.generation: event.genome_digest
            for event in events
            if isinstance(event, EvaluationEvent)
        }

    def genome(self, generation: int, center_G: Tensor) -> Genome:
        """A center with where it came from."""
        config = self.experiment.config
        first = self.first.provenance
        provenance = {
            **({} if generation else first),
            "origin": "evolved" if generation else first["origin"],
            OPERATOR: config.search.name if generation else first[OPERATOR],
            "run_id": self.directory.run_id,
            "generation": str(generation),
            "config_digest": config.digest,
            "suite": self.experiment.suite.name,
            "suite_digest": self.experiment.suite.digest,
        }
        parents = (self._before(generation),) if generation else self.first.parents
        return Genome(self.experiment.layout, center_G, provenance, parents)

    def _before(self, generation: int) -> Parent:
        """The center that was measured before this one, else the first genome."""
        earlier = max((each for each in self.evaluated if each < generation), default=0)
        digest = self.evaluated.get(earlier, self.first.digest)
        return Parent(digest, self.directory.run_id, earlier)

    def keep(self, genome: Genome, generation: int) -> None:
        """Put a measured center among those that stay, and make it the newest."""
        keep_center(self.directory.genomes, genome, generation, self._most)
        self.save_center(genome)

    def save_center(self, genome: Genome) -> None:
        """Make a genome the one that the run is known by."""
        genome.save(self.directory.genomes / CENTER_NAME)

    def thin_out(self) -> None:
        """Keep as many measured centers as there is to be room for."""
        thin_out(self.directory.genomes, list(self.evaluated), self._most)

    def keep_initial(self) -> None:
        """Write the run's first genome once and for all; what is there is never written over.

        Raises:
            UsageError: another genome lies there.
        """
        path = self.directory.genomes / INITIAL_NAME
        if not path.exists():
            self.genome(0, self.first.center_G).save(path)
            return
        found = Genome.load(path).digest
        require(
            found == self.first.digest,
            f"{path} is not the genome that this run begins with (digest {found[:16]}, expected "
            f"{self.first.digest[:16]}); restore it from a copy, or start a new run",
        )

    @property
    def _most(self) -> int:
        return most_kept(self.experiment.layout, self.experiment.config.evaluation.genomes_mib)
