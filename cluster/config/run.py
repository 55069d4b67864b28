"""One typed, frozen configuration for a run; a recipe is a file of its values.

What a recipe does not name keeps its default. `a.b=c` overrides one value of a recipe by its
dotted path; the value is read as YAML.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from cluster.config.errors import explain
from cluster.config.imitating import READ_FROM, forget, write_out
from cluster.config.legacy import modernised, present_key
from cluster.config.poet import PoetConfig
from cluster.config.sections import (
    BanksConfig,
    EvaluationConfig,
    EvolutionConfig,
    ImitationConfig,
    Section,
    TrackingConfig,
    WarmStartConfig,
)
from cluster.config.tables import with_chosen, with_every_entry
from cluster.config.values import NAMED, leaves, put, within
from evoplastic.checks import UsageError, nearest, require
from evoplastic.genome.config import GenomeConfig
from evoplastic.lifetime.config import LifetimeConfig, LifetimeOptions
from evoplastic.modulation.config import ModulationConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.reading import parse_yaml, read_mapping, require_text
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.definition import Definition
from evoplastic.rules.python_file import is_reference, load_rule
from evoplastic.search.config import ESConfig
from tasks.curricula.catalogue import CURRICULA
from tasks.curricula.curriculum import AlternateHalvesConfig
from tasks.suites.suite_file import read_suite_file

DEEPEST_KEY = 8  # sections in sections
MOST_NEURONS = 8192  # a genome has some 2 N^2 numbers
LARGEST_COUNT = (1 << 31) - 1  # of anything that is counted; seeds may be larger
LARGEST_NUMBER = 1e30  # single precision ends at 3.4e38, and numbers are multiplied
RECIPES = Path(__file__).parents[1] / "recipes"

# What a run may change without becoming another run: where and how long it runs, what is measured.
PATH_NEUTRAL = (
    "name",
    "evolution.generations",
    "evolution.flat_generations",
    "evaluation",
    "engine",
    "threads",
    "tracking",
    "pairs_per_shard",
)
# Where the curriculum goes by what the center reaches, how that is measured is on the path.
MEASURED_NEUTRAL = (
    "evaluation.held_out_lifetimes",
    "evaluation.controls",
    "evaluation.lifetimes_per_shard",
    "evaluation.genomes_mib",
    "evaluation.pedigree_mib",
)
# How a genome and recorded activity were named; what they hold is what counts.
AS_TYPED = ("warm_start.given", "imitation.file")

# How work is cut: no result depends on it, and in digests it stands at these values, which all
# recipes had but `smoke` when it entered them.
CUTS = {"pairs_per_shard": 25, "evaluation.lifetimes_per_shard": 16}


# In digests only where they are said.
ANATOMY = ("without", "plastic", "label_gain")  # of birth
LATER: dict[str, object] = {
    "lifetime.birth.fixed": [],
    "lifetime.perturbation.stop_step": None,
    "lifetime.perturbation.perturb_hidden": True,
}


class RunConfig(Section):
    """Everything an experimenter chose for one run."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """What the run is called: letters, digits, dot, dash and underscore."""
    seed: int = Field(default=0, ge=0, lt=1 << 64)
    """Root of every random number."""
    suite: str = "miconi2023"
    """Name of a suite, or the path of a suite file: which tasks train, which are held out."""
    task_table: Literal["intended", "published"] = "intended"
    """Truth table of the two-stimulus tasks: as meant, or as the published code has it; a file
    without it takes that of its suite."""
    num_neurons: int = Field(default=70, le=MOST_NEURONS)
    """N, neurons of a network."""
    rule: RuleConfig = Field(default_factory=RuleConfig, validate_default=True)
    """The plasticity rule: a name, or a section with the name and options."""
    modulation: ModulationConfig = Field(default_factory=ModulationConfig, validate_default=True)
    """What modulatory neurons act on: a name, or a section with the name and options."""
    lifetime: LifetimeOptions = Field(default_factory=LifetimeOptions, validate_default=True)
    """One lifetime: trials, feedback, fitness, dynamics, perturbation."""
    genome: GenomeConfig = Field(default_factory=GenomeConfig)
    """What evolution starts from."""
    warm_start: WarmStartConfig = Field(default_factory=WarmStartConfig)
    """A genome of another run to begin with."""
    search: Any = Field(default_factory=ESConfig)
    """The search over genomes: a name, or a section with a name and the options of that search."""
    curriculum: Any = Field(default_factory=AlternateHalvesConfig)
    """Which training task a group of individuals meets: a name, or a section with a name and the
    options of that curriculum."""
    imitation: ImitationConfig | None = None
    """Recorded activity that fitness asks for beside good answers; none means no such term."""
    poet: PoetConfig | None = None
    """Tasks that evolve beside genomes (POET); none means those of the suite alone."""
    evolution: EvolutionConfig = Field(default_factory=EvolutionConfig)
    """How long the run is."""
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    """Sessions that measure the bare center."""
    banks: BanksConfig = Field(default_factory=BanksConfig)
    """Trials of self-paced tasks."""
    pairs_per_shard: int = Field(default=25, ge=1)
    """Antithetic pairs that a CPU simulates at a time, of other searches so many times two
    individuals: what bounds the memory of a process. No result depends on it."""
    engine: Literal["auto", "reference", "cpu", "gpu"] = "auto"
    """Lifetime engine."""
    threads: int = Field(default=0, ge=0)
    """Threads of the in-process engine; 0 means one per core."""
    tracking: TrackingConfig = Field(default_factory=TrackingConfig)
    """Delivery of the records to MLflow."""

    @field_validator("num_neurons")
    @classmethod
    def _neurons_suffice(cls, num_neurons: int) -> int:
        NeuronGroups(num_neurons=num_neurons)
        return num_neurons

    @field_validator("rule", mode="after")
    @classmethod
    def _numbers_of_the_rule(cls, rule: RuleConfig) -> RuleConfig:
        return rule.resolved

    @field_validator("modulation", mode="after")
    @classmethod
    def _neurons_of_the_modulation(cls, modulation: ModulationConfig) -> ModulationConfig:
        return modulation.resolved

    @field_validator("lifetime", mode="after")
    @classmethod
    def _trials_of_the_rule(
        cls, lifetime: LifetimeOptions, info: ValidationInfo
    ) -> LifetimeOptions:
        lifetime = replace(lifetime, birth=lifetime.birth.resolved)
        rule, noise = info.data.get("rule"), lifetime.perturbation
        if rule is None or noise.quiet_trials is not None:  # none if something is wrong with it
            return lifetime
        quiet_trials = rule.constants.quiet_trials
        return replace(lifetime, perturbation=replace(noise, quiet_trials=quiet_trials))

    @model_validator(mode="after")
    def _relations(self) -> RunConfig:
        lifetime = self.simulated
        NeuronGroups(num_neurons=self.num_neurons, num_modulators=self.modulation.table.num_neurons)
        for key, value in leaves(self.model_dump()):
            require(
                not isinstance(value, float) or math.isfinite(value),
                f"{key} is {value}, expected a finite number",
            )
            require(
                not isinstance(value, float) or abs(value) <= LARGEST_NUMBER,
                f"{key} is {value}, expected a magnitude of at most {LARGEST_NUMBER:g}, which "
                "single precision can hold",
            )
            require(
                not isinstance(value, int) or key == "seed" or abs(value) <= LARGEST_COUNT,
                f"{key} is {value}, expected at most {LARGEST_COUNT}",
            )
        require(
            lifetime.quiet_trials <= lifetime.num_trials,
            f"lifetime.perturbation.quiet_trials is {lifetime.quiet_trials}, expected at most "
            f"lifetime.num_trials = {lifetime.num_trials}",
        )
        require(
            not self.is_informed or self.evaluation.train_lifetimes > 0,
            f"evaluation.train_lifetimes is 0, but curriculum {self.curriculum.name} goes by what "
            "the center reaches on training tasks; set it to at least 1, or curriculum=uniform",
        )
        require(
            self.poet is None or (self.curriculum.name == "uniform" and self.imitation is None),
            f"poet lets every pair take a step in each generation, but curriculum is "
            f"{self.curriculum.name} and imitation is {'off' if self.imitation is None else 'on'}; "
            "set curriculum=uniform, and leave imitation out",
        )
        drawn = lifetime.birth.weights == "random" and "modulators" not in lifetime.birth.innate
        require(
            self.genome.reflex == 0 or not drawn,
            f"genome.reflex is {self.genome.reflex}, but weights onto modulatory neurons are drawn "
            "anew for each lifetime; set lifetime.birth.innate to [modulators], or genome.reflex "
            "to 0",
        )
        return self

    @property
    def simulated(self) -> LifetimeConfig:
        """The lifetime with rule and modulation: what an engine simulates."""
        return LifetimeConfig.of(self.lifetime, self.rule, self.modulation)

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of all that determines the result.

        Name, engine, threads, tracking, what is kept and what stops a run do not enter; nor how
        work is cut, which stands at its defaults since it did enter once.
        """
        return self._digest_without(
            *("name", "engine", "threads", "tracking", *AS_TYPED),
            *("evaluation.genomes_mib", "evaluation.pedigree_mib"),
            "evolution.flat_generations",
        )

    @property
    def path_digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of all that determines the center after n generations.

        Unlike `digest`, how long the run is and what it measures do not enter.
        """
        neutral = [key for key in self.path_neutral if key not in CUTS]
        return self._digest_without(*AS_TYPED, *neutral)

    @property
    def path_neutral(self) -> tuple[str, ...]:
        """Keys that may change on the way: no center after n generations depends on them."""
        if not self.is_informed:
            return PATH_NEUTRAL
        return (*(key for key in PATH_NEUTRAL if key != "evaluation"), *MEASURED_NEUTRAL)

    @property
    def is_informed(self) -> bool:
        """Whether the curriculum goes by what the center reaches on training tasks."""
        return hasattr(CURRICULA[self.curriculum.name].build, "tasks_given")

    def to_yaml(self) -> str:
        """The configuration as a recipe file that resolves to itself."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)

    def flat(self) -> dict[str, Any]:
        """Every value by its dotted path."""
        return dict(leaves(self.model_dump(mode="json")))

    def _digest_without(self, *neutral: str) -> str:
        if self.warm_start.genome is None:
            neutral = (*neutral, "warm_start")  # digests are those of before it was known
        if self.imitation is None:
            neutral = (*neutral, "imitation")
        if not self.lifetime.birth.has_anatomy:
            neutral = (*neutral, *(f"lifetime.birth.{name}" for name in ANATOMY))
        if self.poet is None:
            neutral = (*neutral, "poet")
        values = self.flat() | CUTS
        neutral = (*neutral, *(key for key, unsaid in LATER.items() if values[key] == unsaid))
        neutral = (*neutral, *(key for key in values if key.endswith(".init_of")))
        kept = {key: value for key, value in values.items() if not within(key, neutral)}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def known_recipes() -> list[str]:
    """Names of the recipes that come with the project."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load_config(recipe_or_file: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Read a recipe by name, or a configuration file by path, and apply `key=value` overrides.

    Raises:
        UsageError: no such recipe or file, text that is not YAML, an unknown key (with the nearest
            one), a value out of range, values that contradict each other.
    """
    path = _find(str(recipe_or_file))
    source = f"recipe {path.stem}" if path.parent == RECIPES else str(path)
    values = modernised(read_mapping(path, "configuration file"), source)
    for override in overrides:
        _set(values, override)
    suite = values.get("suite", RunConfig.model_fields["suite"].default)
    if "task_table" not in values and isinstance(suite, str):
        content = read_suite_file(suite)
        if content.table is not None:
            values["task_table"] = content.table  # what a suite says holds
    write_out(values)
    return _validate(values, source)


def override_config(config: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """A copy of a configuration with `key=value` overrides applied.

    Raises:
        UsageError: as `load_config`.
    """
    values = config.model_dump(mode="json")
    for override in overrides:
        _set(values, override)
    write_out(values)
    return _validate(values, "the configuration")


def config_schema() -> dict[str, Any]:
    """JSON schema of a configuration file, with every entry of every table."""
    return with_every_entry(RunConfig).model_json_schema()


def _find(word: str) -> Path:
    if word in known_recipes():
        return RECIPES / f"{word}.yaml"
    path = Path(word)
    if path.is_file():
        return path
    if path.suffix in (".yaml", ".yml") or "/" in word:
        raise UsageError(
            f"configuration file {word} does not exist; give an existing file, or one of the "
            f"recipes {', '.join(known_recipes())}"
        )
    raise UsageError(f"unknown recipe {word!r}; {nearest(word, known_recipes())}")


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    path = key.strip()
    require(
        bool(equals) and all(path.split(".")),
        f"override {override!r} is not of the form key=value, for example search.popsize=64",
    )
    require_text(override, "an override")
    require(
        path.count(".") < DEEPEST_KEY,
        f"override {override[:80]!r} has a name of more than {DEEPEST_KEY} parts",
    )
    value = parse_yaml(text, f"the value of override {override!r}", finite=False)
    new, meant = present_key(path, value)
    if new in ("rule", "rule.name") and is_reference(meant):
        new, meant = "rule", _written_out(meant)
    put(values, new, meant, f"override {override!r}")
    if new in READ_FROM:
        forget(values)


def _written_out(reference: str) -> dict[str, Any]:
    """The section of a rule in a Python file, so that a run needs the file no more."""
    rule = load_rule(reference)
    return {"name": rule.name, "definition": asdict(Definition.of(rule))}


def _validate(values: dict[str, Any], source: str) -> RunConfig:
    values = {
        key: {"name": value} if key in NAMED and isinstance(value, str) else value
        for key, value in values.items()
    }
    try:
        model = with_chosen(RunConfig, values)
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UsageError(explain(error, model, source)) from error
