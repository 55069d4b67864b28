"""Configurations: recipes resolve, mistakes are refused with a way out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from cluster.config.differences import require_same_path
from cluster.config.run import (
    config_schema,
    known_recipes,
    load_config,
    override_config,
)
from cluster.experiment import build_experiment
from cluster.planning.dry_run import warnings_of
from evoplastic.checks import UsageError
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.rules.config import RuleConfig
from tests.cluster.config.posed import posed_recipes

REFUSED = [
    (["popsiz=3"], "unknown key 'popsiz'; did you mean 'search.popsize'"),
    (["popsize=8"], "unknown key 'popsize'; did you mean 'search.popsize'"),
    (["search.popsiz=8"], "unknown key 'search.popsiz'; did you mean 'search.popsize'"),
    (["rule.etta=1"], "did you mean 'rule.eta'"),
    (["zebra=1"], "unknown key 'zebra'; known: "),
    (["search.popsize=7"], "popsize is 7, expected an even number"),
    (["search.popsize=2"], "popsize is 2, expected at least 4"),
    (["search.popsize=8.5"], "search.popsize is 8.5, expected a valid integer"),
    (["search.sigma=wide"], "search.sigma is 'wide', expected a valid number"),
    (["search.sigma=.nan"], "sigma is nan"),
    (["rule.eta=.inf"], "rule.eta is inf, expected a finite number"),
    (["num_neurons=11"], "num_neurons is 11.*use at least 12 neurons"),
    (["lifetime.scored_trials=7"], "scored_trials is 7, expected 1 to num_trials = 6"),
    (["lifetime.perturbation.quiet_trials=7"], "quiet_trials is 7, expected at most"),
    (["lifetime.smoothness_penalty=1"], "no modulatory signal"),
    (["lifetime.perturbation.noise=par"], "lifetime.perturbation.noise is 'par', expected 'pair'"),
    (["engine=gpuu"], "engine is 'gpuu', expected 'auto', 'reference'"),
    (["task_table=meant"], "task_table is 'meant', expected 'intended' or 'published'"),
    (["task_table=publishd"], "expected 'intended' or 'published'; did you mean 'published'"),
    (["engine=cpuu"], "expected 'auto', 'reference', 'cpu' or 'gpu'; did you mean 'cpu'"),
    (["seed=x"], "^recipe smoke: seed is 'x', expected a valid integer"),
    (["seed=-1"], "seed is -1"),
    (["seed=18446744073709551616"], "seed is 18446744073709551616"),
    (["pairs_per_shard=0"], "pairs_per_shard is 0"),
    (["evolution.generations=0"], "evolution.generations is 0"),
    (["search=ess"], "unknown search 'ess'; did you mean 'es'"),
    (["search.name=[1]"], r"search is \[1\], expected one of"),
    (["search=3"], "search is 3"),
    (["search.sigma=1e300"], "search.sigma is 1e.300, expected a magnitude of at most 1e.30"),
    (["lifetime.dynamics.threshold={init: 1e39}"], "threshold.init is 1e.39"),
    (["rule="], "rule is None, expected a name, or a section with a name and options"),
    (["search.sigma=1e-400"], "sigma is 0.0"),
    (["modulation={name: m, channels: [{target: gain, strength: 2}]}"], "strength is 2.0, but"),
    (
        ["modulation={name: m, channels: [{target: gain, scope: all, init: 1}]}"],
        "init is 1.0, but a channel of the scope 'all' has none",
    ),
    (
        ["rule={name: r, definition: {change: [{post: rate, power: 2}]}}"],
        "unknown key 'rule.definition.change.0.power'; did you mean 'rule.definition.change.pre'",
    ),
    (
        ["rule={name: r, definition: {change: [{coefficients: [decay], p: true}]}}"],
        "coefficient 'decay' of rule 'r' has no value",
    ),
    (
        ["rule={definition: {change: [{post: rate, pre: rate}]}}"],
        "name is 'node_perturbation', which is another rule of the table",
    ),
    (["rule.eta={init: 1e-40, transform: positive}"], "begins above 0, at 1e-30 or more"),
    (["modulation=gian"], "unknown modulation 'gian'; did you mean 'gain'"),
    (["modulation.num_neurons=0"], "has 0 modulatory neurons, expected at least 1"),
    (["modulation.num_neurons=7"], "num_neurons is 16.*use at least 17 neurons"),
    (["modulation.numbr=3"], "unknown key 'modulation.numbr'"),
    (["rule=oja", "modulation=fan_out"], "rule 'oja' has no modulator"),
    (["modulation={name: m, channels: [{target: gane}]}"], "did you mean 'gain'"),
    (["modulation={name: m, channels: [{target: gain, to: all}]}"], "unknown key"),
    (["genome.reflex=.inf"], "reflex is inf"),
    (["genome.reflex=1", "lifetime.birth={weights: random}"], "drawn anew for each lifetime"),
    (["curriculum=alternate"], "unknown curriculum 'alternate'; did you mean 'alternate_halves'"),
    (["curriculum.halves=3"], "unknown key 'curriculum.halves'"),
    (["genome.init_gain=0"], "init_gain is 0"),
    (["evaluation.every=0"], "evaluation.every is 0"),
    (["name=a/b"], "name is 'a/b'"),
    (["lifetime=3"], "lifetime is 3"),
    (["seed.x=3"], "seed is a value, not a section"),
    (["seed"], "'seed' is not of the form key=value"),
    (["=3"], "'=3' is not of the form key=value"),
    (["name=[1"], "is not valid YAML"),
    (["seed=-1", "search.popsize=7"], r"(?s)seed is -1.*popsize is 7"),
]


@pytest.mark.parametrize(("overrides", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_bad_override_is_refused_by_its_dotted_path(overrides: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_config("smoke", overrides)


@pytest.mark.parametrize("recipe", posed_recipes())
def test_every_recipe_poses_a_whole_experiment(recipe: str) -> None:
    config = load_config(recipe)
    experiment = build_experiment(config)
    assert config.name == recipe
    assert experiment.problem.engine in ("reference", "cpu", "gpu")
    assert warnings_of(experiment) == []


def test_the_published_recipes_are_the_published_setting() -> None:
    by_outcome, by_network = load_config("miconi2023"), load_config("miconi2023-internal-published")
    published = LifetimeConfig()
    assert by_outcome.simulated == replace(
        published,
        rule=published.rule.resolved,
        modulation=published.modulation.resolved,
        perturbation=replace(published.perturbation, quiet_trials=19),
    )
    published = LifetimeConfig(
        rule=RuleConfig(name="node_perturbation_network"), smoothness_penalty=0.27
    )
    assert by_network.simulated == replace(
        published,
        rule=published.rule.resolved,
        modulation=published.modulation.resolved,
        perturbation=replace(published.perturbation, quiet_trials=0),
    )
    assert (by_outcome.search.popsize, by_outcome.evolution.generations) == (500, 1000)


def test_the_table_is_that_of_the_suite_unless_it_is_chosen(tmp_path: Path) -> None:
    suite = tmp_path / "mine.yaml"
    suite.write_text("name: mine\ntable: published\ntrain: [and]\nheld_out: [dms]\n")
    assert load_config("smoke", [f"suite={suite}"]).task_table == "published"
    assert load_config("smoke", [f"suite={suite}", "task_table=intended"]).task_table == "intended"
    assert load_config("smoke").task_table == "intended"


@pytest.mark.parametrize("recipe", known_recipes())
def test_a_resolved_configuration_resolves_to_itself(recipe: str, tmp_path: Path) -> None:
    config = load_config(recipe, ["seed=18446744073709551615", "search.learning_rate=1e-9"])
    path = tmp_path / "config.yaml"
    path.write_text(config.to_yaml())
    again = load_config(path)
    assert again == config
    assert again.digest == config.digest


def test_an_unknown_recipe_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="unknown recipe 'smok'; did you mean 'smoke'"):
        load_config("smok")
    with pytest.raises(UsageError, match=r"file gone\.yaml does not exist"):
        load_config("gone.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: [unclosed", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b"just words", "holds str, expected keys"),
        (b"", "holds NoneType, expected keys"),
        (b"seed: 1", "name is missing"),
    ],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=rf"broken\.yaml.*{message}"):
        load_config(path)


@pytest.mark.parametrize(
    ("override", "same_digest", "same_path"),
    [
        ("threads=1", True, True),
        ("engine=reference", True, True),
        ("tracking.uri=sqlite:///x.db", True, True),
        ("name=other", True, True),
        ("pairs_per_shard=3", True, True),
        ("evaluation.lifetimes_per_shard=5", True, True),
        ("evolution.generations=9", False, True),
        ("evaluation.every=3", False, True),
        ("seed=2", False, False),
        ("search.sigma=0.04", False, False),
        ("curriculum=uniform", False, False),
        ("genome.init_alpha=0.1", False, False),
        ("rule.eta=0.04", False, False),
        ("task_table=published", False, False),
    ],
)
def test_digests_follow_what_determines_the_result(
    override: str, same_digest: bool, same_path: bool
) -> None:
    config = load_config("smoke")
    other = override_config(config, [override])
    assert (other.digest == config.digest) is same_digest
    assert (other.path_digest == config.path_digest) is same_path
    if same_path:
        require_same_path(config, other)
    else:
        with pytest.raises(UsageError, match=override.partition("=")[0]):
            require_same_path(config, other)


def test_a_configuration_is_frozen() -> None:
    config = load_config("smoke")
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 3


def test_the_schema_knows_every_section() -> None:
    schema = config_schema()
    assert set(schema["properties"]) == set(yaml.safe_load(load_config("smoke").to_yaml()))
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["RuleConfig"]["additionalProperties"] is False


def test_a_suite_that_is_unknown_or_does_not_exist_is_refused_before_the_run() -> None:
    with pytest.raises(UsageError, match="miconi2023"):
        build_experiment(load_config("smoke", ["suite=miconi2032"]))
