"""Sections of a configuration that belong to the run itself, not to the science."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cluster.tracking.secrets import require_no_secret
from evoplastic.checks import require


class Section(BaseModel):
    """A frozen part of the configuration that refuses keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


class EvolutionConfig(Section):
    """How long a run is."""

    generations: int = Field(default=1000, ge=1)
    """Generations from the first center to the last."""
    flat_generations: int = Field(default=3, ge=0)
    """After so many generations in a row that say nothing, since the individuals that are compared,
    as the two of a pair, are equal in loss, a run stops with an error; 0 lets it go on."""


class WarmStartConfig(Section):
    """Whether a run begins with a genome of another run."""

    genome: str | None = Field(default=None, min_length=1, max_length=4096)
    """The first genome: a file, a run, RUN@GENERATION, an id of the store, or digits of a digest,
    and in a run its digest; none means one drawn by `genome`. `--from` is short for it."""
    given: str | None = None
    """How that genome was named when the run began."""
    adapt: bool = False
    """Whether its fields, neurons and lines may differ from the recipe's: what it lacks begins as
    in a run of its own, what the recipe lacks is dropped."""


class ImitationConfig(Section):
    """Recorded activity that fitness asks for: weight * (1 - similarity) is added to the loss."""

    file: str | None = Field(default=None, min_length=1, max_length=4096)
    """CSV file of recorded activity, a line for each condition and a column for each unit; read
    when the run begins, and kept as `conditions` and `matrix`."""
    weight: float = Field(default=1.0, ge=0)
    """Of the term; 0 leaves it out."""
    measure: Literal["rdm", "cka"] = "cka"
    """How alike: centred kernel alignment, or correlation of dissimilarities (RDMs)."""
    tasks: tuple[str, ...] = ()
    """Training tasks in which the activity was recorded; none means all of them."""
    trials: int = Field(default=24, ge=1)
    """The last trials of a lifetime, whose rates are averaged for each kind of trial."""
    window_ms: tuple[float, float] = (0.0, 1e6)
    """Begin and end of the part of a trial whose rates are averaged."""
    conditions: tuple[str, ...] = ()
    """Conditions in the file: kinds of trial, by what their stimuli show in order."""
    matrix: tuple[tuple[float, ...], ...] = ()
    """How they lie to each other: dissimilarities, or products of centred patterns."""

    @model_validator(mode="after")
    def _activity_is_there(self) -> ImitationConfig:
        size = len(self.conditions)
        require(
            size > 0 and len(self.matrix) == size and all(len(row) == size for row in self.matrix),
            f"imitation of {self.file!r} has {size} conditions and a matrix of {len(self.matrix)} "
            "rows; give the file of recorded activity, imitation.file=FILE.csv",
        )
        return self


class EvaluationConfig(Section):
    """Held-out evaluation sessions of the bare center."""

    every: int = Field(default=10, ge=1)
    """Generations from one session to the next; the first and the last center always have one."""
    held_out_lifetimes: int = Field(default=64, ge=1)
    """Lifetimes of each held-out task."""
    train_lifetimes: int = Field(default=16, ge=0)
    """Lifetimes of each training task."""
    controls: bool = True
    """Whether the first and the last session also run plasticity-off and random-genome controls."""
    lifetimes_per_shard: int = Field(default=16, ge=1)
    """Lifetimes that a CPU simulates at a time. No result depends on it."""
    genomes_mib: float = Field(default=256, ge=0)
    """Size, in MiB, of the measured centers that a run keeps as files; where they would take more,
    every second of the older ones goes."""
    pedigree_mib: float = Field(default=32, ge=0)
    """Size, in MiB, of what a run writes down of the individuals of its population, if its search
    keeps some; where it would take more, those that were not kept go first, the oldest before."""


class BanksConfig(Section):
    """Trial banks of self-paced tasks; those of fixed timing have their own and ignore this."""

    trials: int = Field(default=200, ge=1)
    """Trials in the bank of a task; a lifetime reads them in order, from a random one on."""
    refresh_every: int = Field(default=20, ge=1)
    """Generations that share the training banks; then new trials are drawn. Building banks takes
    time, and 1 draws new ones for each generation."""
    evaluation_trials: int = Field(default=400, ge=1)
    """Trials in the banks of the evaluation sessions, the same ones throughout a run."""


class TrackingConfig(Section):
    """Where the records go besides the run directory."""

    enabled: bool = True
    """Whether the journal is also delivered to MLflow."""
    uri: str | None = None
    """MLflow tracking URI; none means an SQLite file in the working directory."""
    experiment: str = Field(default="evoplastic", min_length=1)
    """MLflow experiment that the run appears in."""

    @field_validator("uri")
    @classmethod
    def _without_secret(cls, uri: str | None) -> str | None:
        if uri is not None:
            require_no_secret(uri)
        return uri
