"""One typed, frozen configuration for a run; a recipe is a file of its values.

What a recipe does not name keeps its default. `a.b=c` overrides one value of a recipe by its
dotted path; the value is read as YAML.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from cluster.config.errors import explain
from cluster.config.legacy import modernised, present_key
from evoplastic.checks import UsageError, nearest, require
from evoplastic.lifetime.config import LifetimeConfig, LifetimeOptions
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.search.config import EvolutionConfig
from tasks.suites.suite_file import read_suite_file

RECIPES = Path(__file__).parents[1] / "recipes"

# What a run may change without becoming another run: where and how long it runs, what is measured.
PATH_NEUTRAL = ("name", "evolution.generations", "evaluation", "engine", "threads", "tracking")
NAMED_SECTIONS = ("rule",)  # an entry of a table: its name alone, or a section that holds it


class Section(BaseModel):
    """A frozen part of the configuration that refuses keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )


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
    """Lifetimes that one unit of work holds."""


class BanksConfig(Section):
    """Trial banks of tasks that run freely; paced tasks bring their own and ignore this."""

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


class RunConfig(Section):
    """Everything an experimenter chose for one run."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """What people call the run: letters, digits, dot, dash and underscore."""
    seed: int = Field(default=0, ge=0, lt=1 << 64)
    """Root of every random number."""
    suite: str = "miconi2023"
    """Name of a suite, or the path of a suite file: which tasks train, which are held out."""
    task_table: Literal["intended", "published"] = "intended"
    """Truth table of the two-stimulus tasks: as meant, or as the published code has it; a file
    without it takes that of its suite."""
    num_neurons: int = 70
    """N, neurons of a network."""
    rule: RuleConfig = Field(default_factory=RuleConfig, validate_default=True)
    """The plasticity rule: a name, or a section with the name and options."""
    lifetime: LifetimeOptions = Field(default_factory=LifetimeOptions, validate_default=True)
    """One lifetime: trials, feedback, fitness, dynamics, perturbation."""
    evolution: EvolutionConfig = Field(default_factory=EvolutionConfig)
    """The search over genomes."""
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)
    """Sessions that measure the bare center."""
    banks: BanksConfig = Field(default_factory=BanksConfig)
    """Trials of tasks that run freely."""
    pairs_per_shard: int = Field(default=25, ge=1)
    """Antithetic pairs that one unit of work holds; never depends on the number of workers."""
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

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        return values and {
            key: {"name": value} if key in NAMED_SECTIONS and isinstance(value, str) else value
            for key, value in values.items()
        }

    @field_validator("rule", mode="after")
    @classmethod
    def _numbers_of_the_rule(cls, rule: RuleConfig) -> RuleConfig:
        return rule.resolved

    @field_validator("lifetime", mode="after")
    @classmethod
    def _trials_of_the_rule(
        cls, lifetime: LifetimeOptions, info: ValidationInfo
    ) -> LifetimeOptions:
        rule, noise = info.data.get("rule"), lifetime.perturbation
        if rule is None or noise.quiet_trials is not None:  # none if something is wrong with it
            return lifetime
        quiet_trials = rule.constants.quiet_trials
        return replace(lifetime, perturbation=replace(noise, quiet_trials=quiet_trials))

    @model_validator(mode="after")
    def _relations(self) -> RunConfig:
        lifetime = self.simulated
        for key, value in _leaves(self.model_dump()):
            require(
                not isinstance(value, float) or math.isfinite(value),
                f"{key} is {value}, expected a finite number",
            )
        require(
            lifetime.quiet_trials <= lifetime.num_trials,
            f"lifetime.perturbation.quiet_trials is {lifetime.quiet_trials}, expected at most "
            f"lifetime.num_trials = {lifetime.num_trials}",
        )
        return self

    @property
    def simulated(self) -> LifetimeConfig:
        """The lifetime with its rule: what an engine simulates."""
        return LifetimeConfig.of(self.lifetime, self.rule)

    @property
    def digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of all that determines the result.

        Name, engine, threads and tracking do not enter.
        """
        return self._digest_without("name", "engine", "threads", "tracking")

    @property
    def path_digest(self) -> str:
        """SHA-256 (16 hexadecimal digits) of all that determines the center after n generations.

        Unlike `digest`, how long the run is and what it measures do not enter.
        """
        return self._digest_without(*PATH_NEUTRAL)

    def to_yaml(self) -> str:
        """The configuration as a recipe file that resolves to itself."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)

    def flat(self) -> dict[str, Any]:
        """Every value by its dotted path."""
        return dict(_leaves(self.model_dump(mode="json")))

    def _digest_without(self, *neutral: str) -> str:
        kept = {key: value for key, value in self.flat().items() if not _within(key, neutral)}
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
    values = modernised(_read(path), source)
    for override in overrides:
        _set(values, override)
    suite = values.get("suite", RunConfig.model_fields["suite"].default)
    if "task_table" not in values and isinstance(suite, str):
        content = read_suite_file(suite)
        if content.table is not None:
            values["task_table"] = content.table  # what a suite says holds
    return _validate(values, source)


def override_config(config: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """A copy of a configuration with `key=value` overrides applied.

    Raises:
        UsageError: as `load_config`.
    """
    values = config.model_dump(mode="json")
    for override in overrides:
        _set(values, override)
    return _validate(values, "the configuration")


def require_same_path(old: RunConfig, new: RunConfig) -> None:
    """Refuse a change that would send a resumed run on another path than it started on.

    Raises:
        UsageError: naming the keys that differ, with both values.
    """
    before, after = old.flat(), new.flat()
    changed = [
        f"{key}: {before.get(key)!r} -> {after.get(key)!r}"
        for key in sorted(before | after)
        if before.get(key) != after.get(key) and not _within(key, PATH_NEUTRAL)
    ]
    require(
        not changed,
        f"a resumed run keeps its path, but these values differ: {'; '.join(changed)}; start a new "
        f"run instead, or change only {', '.join(PATH_NEUTRAL)}",
    )


def config_schema() -> dict[str, Any]:
    """JSON schema of a configuration file."""
    return RunConfig.model_json_schema()


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


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"configuration file {path} is not valid YAML: {error}") from error
    except OSError as error:
        raise UsageError(f"configuration file {path} cannot be read: {error}") from error
    require(
        isinstance(values, dict),
        f"configuration file {path} holds {type(values).__name__}, expected keys with values",
    )
    return values


def _set(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    path = key.strip().split(".")
    require(
        bool(equals) and all(path),
        f"override {override!r} is not of the form key=value, for example evolution.popsize=64",
    )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(
            f"the value of override {override!r} is not valid YAML: {error}"
        ) from error
    key, value = present_key(".".join(path), value)
    path = key.split(".")
    node = values
    for depth, part in enumerate(path[:-1]):
        if part in NAMED_SECTIONS and isinstance(node.get(part), str):
            node[part] = {"name": node[part]}
        node = node.setdefault(part, {})
        require(
            isinstance(node, dict),
            f"override {override!r}: {'.'.join(path[: depth + 1])} is a value, not a section",
        )
    node[path[-1]] = value


def _validate(values: dict[str, Any], source: str) -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise UsageError(explain(error, RunConfig, source)) from error


def _within(key: str, sections: Sequence[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)


def _leaves(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            leaves += _leaves(value, f"{prefix}{key}.")
        else:
            leaves.append((f"{prefix}{key}", value))
    return leaves
