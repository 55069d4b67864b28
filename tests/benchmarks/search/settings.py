"""What is compared: recipes with changes, each of which lives the same number of lifetimes."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.config.run import RunConfig, load_config, override_config
from cluster.experiment import build_experiment
from evoplastic.checks import require

LIFETIMES = 60_000  # of a run's populations: 120 generations of 500
MEASURED_EVERY = 2_000  # lifetimes from one measurement to the next

# The measurements are of 64 lifetimes of each held-out task, and draw nothing that evolution draws.
MEASURING = (
    "evaluation.held_out_lifetimes=64",
    "evaluation.train_lifetimes=4",
    "evaluation.controls=false",
    "tracking.enabled=false",
)


@dataclass(frozen=True)
class Setting:
    """A recipe and what is changed in it."""

    name: str
    recipe: str
    changes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, words: str) -> Setting:
        """A setting as the command line has it: `NAME: RECIPE key=value ...`.

        >>> Setting.parse("snes: laptop search=snes")
        Setting(name='snes', recipe='laptop', changes=('search=snes',))

        Raises:
            UsageError: no name or no recipe.
        """
        name, colon, rest = words.partition(":")
        recipe, *changes = rest.split() or [""]
        require(
            bool(name.strip() and colon and recipe),
            f"setting {words!r} is not of the form 'NAME: RECIPE key=value ...', for example "
            "'fast: laptop search.learning_rate=0.02'",
        )
        return cls(name.strip(), recipe, tuple(changes))

    def says(self) -> str:
        """What was chosen, for the table."""
        return " ".join((self.recipe, *self.changes))

    def config(self, seed: int, lifetimes: int = LIFETIMES) -> RunConfig:
        """The run of one seed, measured as often as every other setting.

        Args:
            seed: of the run.
            lifetimes: that its populations live, if the setting does not name its generations.

        Raises:
            UsageError: an unknown recipe or option.
        """
        config = load_config(self.recipe, [*self.changes, f"seed={seed}", *MEASURING])
        popsize = build_experiment(config).search.popsize
        every = max(round(MEASURED_EVERY / popsize), 1)
        length = [f"evolution.generations={max(round(lifetimes / popsize), 1)}"]
        if any(change.startswith("evolution.generations=") for change in self.changes):
            length = []
        return override_config(config, [*length, f"evaluation.every={every}"])


SETTINGS = (Setting("laptop", "laptop"), Setting("annealed", "annealed-laptop"))
