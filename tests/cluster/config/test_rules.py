"""Runs whose genomes hold numbers of their rule: repeatable, resumable, the same on any worker."""

from __future__ import annotations

import os
import pickle
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cluster.checkpoint import load_checkpoint
from cluster.config.run import RunConfig, load_config
from cluster.experiment import build_experiment
from cluster.loop import RunOutcome, evolve, resume
from cluster.progress import SilentProgress, Tick
from evoplastic.checks import UsageError
from evoplastic.genome.genome import Genome
from evoplastic.lifetime.shards import simulate_population
from evoplastic.records.names import CONFIG_NAME
from evoplastic.rules.catalogue import RULES

FEW = [
    "engine=reference",
    "num_neurons=13",
    "evolution.generations=4",
    "evaluation.held_out_lifetimes=2",
    "evaluation.every=4",
]
WITH_FIELDS = {
    "abcd_rank_one": ["rule=abcd_rank_one", "rule.eta={init: 0.1, transform: positive}"],
    "node_perturbation": [
        "rule.eta={form: target, init: 0.03, transform: positive}",
        "rule.tau_elig_ms={init: 800, spread: 0.1, transform: positive}",
        "rule.baseline_decay={init: 0.8, transform: positive, upper: 0.99}",
    ],
    "random birth, neurons of their own": [
        "engine=cpu",
        "lifetime.birth={weights: random, innate: [modulators]}",
        "lifetime.dynamics.tau_ms={form: target, init: 90, transform: positive, lower: 20}",
        "lifetime.dynamics.threshold={form: groups, scale: 0.5}",
        "genome.scales={birth: {gain: 0.3}, w: 2.0}",
    ],
}


def configured(name: str) -> RunConfig:
    return load_config("smoke", [*FEW, *WITH_FIELDS[name]])


@pytest.fixture(scope="module", params=WITH_FIELDS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    """The run that nothing disturbs."""
    return evolve(configured(request.param), tmp_path_factory.mktemp("whole") / "run")


class Stop(SilentProgress):
    """Asks the process to stop when generation 2 is done."""

    def tick(self, tick: Tick) -> None:
        """Act once."""
        if tick.generation == 2:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_stopped_run_goes_on_to_the_same_bytes(whole: RunOutcome, tmp_path: Path) -> None:
    config = load_config(whole.run_dir / CONFIG_NAME)
    stopped = evolve(config, tmp_path / "run", progress=Stop())
    assert (stopped.status, stopped.generation) == ("preempted", 2)
    resumed = resume(tmp_path / "run")
    assert resumed.center_digest == whole.center_digest
    ours, theirs = (
        load_checkpoint(each.run_dir / "checkpoints").tensors for each in (resumed, whole)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours | theirs)


def test_the_center_holds_the_fields_and_they_were_evolved(whole: RunOutcome) -> None:
    experiment = build_experiment(load_config(whole.run_dir / CONFIG_NAME))
    first = experiment.first_genome()
    last = Genome.load(whole.run_dir / "genomes" / "center.safetensors")
    assert list(first.values) == list(last.values)
    assert len(last.values) > 2
    for name, value in last.values.items():
        assert not torch.equal(value, first.values[name]), f"{name} never changed"


@pytest.mark.parametrize("name", WITH_FIELDS)
def test_what_travels_to_workers_gives_the_same(name: str) -> None:
    experiment = build_experiment(configured(name))
    center_G = experiment.first_genome().center_G
    state = experiment.search.init(center_G)
    shard = experiment.population(experiment.search.ask(state, 0))[1]
    travelled = pickle.loads(pickle.dumps(experiment.problem))
    ours = simulate_population(experiment.problem, center_G, shard)
    theirs = simulate_population(travelled, center_G, shard)
    assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("recipe", ["smoke", "yang19-laptop"])
def test_any_rule_goes_with_any_recipe(recipe: str, rule: str) -> None:
    config = load_config(recipe, [f"rule={rule}"])
    assert config.rule.name == rule
    assert config.rule.constants == RULES[rule].defaults
    again = load_config(recipe, [f"rule={rule}", "rule.first_trial=3"])
    assert again.rule.first_trial == 3


REFUSED = [
    (["rule=ojaa"], "unknown plasticity rule 'ojaa'; did you mean 'oja'"),
    (["rule=oja", "rule.eta=abc"], "rule.eta is 'abc', expected a number, or a section"),
    (["rule=oja", "rule.eta={frm: scalar}"], "unknown key 'rule.eta.frm'; did you mean 'form'"),
    (["rule=oja", "rule.eta={form: rank_on}"], "rule.eta.form is 'rank_on'.*'rank_one'"),
    (["rule=oja", "rule.eta={form: clustered}"], "rule.eta: number is None"),
    (["rule=oja", "rule.eta={form: scalar, number: 3}"], "form 'scalar' has none"),
    (["rule=oja", "rule.coefficients={A: 1}"], "unknown coefficient of rule 'oja' 'A'; known: eta"),
    (["rule=oja", "rule.eta=1", "rule.coefficients={eta: 1}"], "eta is given twice"),
    (["rule=abcd", "rule.coefficients={A: {scale: -1}}"], "coefficients.A: scale is -1.0"),
    (["rule=abcd", "rule.coefficients.A=.nan"], "rule.coefficients.A is nan"),
    (["rule=hebb", "rule.max_p=-1"], "max_p is -1.0"),
    (["rule=oja", "rule.tau_elig_ms={init: 9, transform: positive}"], "no eligibility trace"),
    (["rule.tau_elig_ms={init: 9}"], "set transform to positive"),
    (["rule.tau_elig_ms={form: target, init: 9, transform: positive}"], "set form to scalar"),
    (["rule.baseline_decay={init: 0.9, transform: positive}"], "is a share below 1; set its upper"),
    (["rule.eta={init: 0, transform: positive}"], "init is 0.0, but a positive"),
    (["lifetime.dynamics.tau_ms=-1"], "tau_ms is -1.0, expected a positive time constant"),
    (["lifetime.dynamics.tau_ms={init: 90, transform: positive}"], "set its lower to that of"),
    (["lifetime.dynamics.threshold={form: source}"], "a neuron's, not a connection's"),
    (["lifetime.dynamics.treshold=1"], "did you mean 'lifetime.dynamics.threshold'"),
    (["lifetime.birth.weights=randm"], "lifetime.birth.weights is 'randm'.*'random'"),
    (["lifetime.birth.gain=2"], "birth sets gain, but its weights are innate"),
    (["lifetime.birth={weights: random, density: 1.5}"], r"expected a chance in \[0, 1\]"),
    (["lifetime.birth={weights: random, innate: [modulator]}"], "expected.*'modulators'"),
    (["genome.scales={w: 0}"], "genome: scales.w is 0, expected a number above 0"),
    (["genome.scales={rule: {A: high}}"], "scales.rule.A is 'high', expected a number"),
    (["rule={name: a, definition: {change: [{trace: true}]}}"], "nothing is ever credited"),
    (["rule={name: a, definition: {change: [{pre: rat}]}}"], r"change.0.pre is 'rat'.*'rate'"),
    (["rule={name: a, definition: {chang: []}}"], "did you mean 'rule.definition.change'"),
]


@pytest.mark.parametrize(("overrides", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_rule_that_cannot_be_is_refused_before_the_run(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_config("smoke", overrides)


def test_a_rule_written_out_is_the_entry_bit_for_bit(tmp_path: Path) -> None:
    written = tmp_path / "mine.yaml"
    written.write_text(
        """
name: mine
rule:
  name: mine
  eta: 0.01
  definition:
    change:
      - {post: rate, pre: rate}
      - {sign: -1, post: rate_squared, p: true}
    clips_change: false
"""
    )
    few = [
        "num_neurons=13",
        "lifetime.num_trials=5",
        "lifetime.scored_trials=3",
        "engine=reference",
    ]
    few += ["search.popsize=4", "evolution.generations=1", "evaluation.held_out_lifetimes=2"]
    few += ["evaluation.train_lifetimes=1"]
    mine = load_config(written, few)
    entry = load_config(written, [*few, "rule=oja"])
    digests = [
        evolve(config, tmp_path / config.rule.name).center_digest for config in (mine, entry)
    ]
    assert digests[0] == digests[1]
    assert load_config(tmp_path / "mine" / CONFIG_NAME) == mine


def test_a_genome_of_other_fields_is_refused_with_both_lists() -> None:
    problem = build_experiment(configured("abcd_rank_one")).problem
    oja = load_config("smoke", [*FEW, "rule=oja"]).simulated
    with pytest.raises(UsageError, match=r"rule.A \(rank_one.*rule 'oja'.*needs \[w, alpha\]"):
        replace(problem, lifetime=oja)


def test_the_rules_of_the_guide_are_one_rule(tmp_path: Path) -> None:
    """The YAML and the Python of docs/rules.md."""
    guide = (Path(__file__).parents[3] / "docs" / "rules.md").read_text()
    blocks = {
        block.split("\n", 1)[0].strip(): block.split("\n", 1)[1]
        for block in guide.split("```")[1::2]
    }
    recipe, module = tmp_path / "mine.yaml", tmp_path / "my_rule.py"
    recipe.write_text("name: mine\n" + blocks["yaml"])
    module.write_text(blocks["python my_rule.py"])
    written = load_config(recipe)
    typed = load_config("smoke", [f"rule={module}:RULE"])
    assert written.rule.table.change == typed.rule.table.change
    assert written.rule.settings == typed.rule.settings == {"eta": 0.01, "decay": 0.002}
    module.unlink()
    again = tmp_path / "again.yaml"
    again.write_text(typed.to_yaml())
    assert load_config(again) == typed


def test_a_recipe_brings_no_code_along(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    recipe = tmp_path / "theirs.yaml"
    recipe.write_text(f"name: theirs\nrule: {tmp_path}/evil.py:RULE\n")
    with pytest.raises(UsageError, match="runs only where it is typed"):
        load_config(recipe)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "has no rule; write RULE = Rule"),
        ("1 / 0", "cannot be run: ZeroDivisionError"),
        ("raise SystemExit(4)", "cannot be run: SystemExit: 4"),
        ("from evoplastic.rules.hebbian import OJA", "has no rule 'RULE'"),
    ],
)
def test_a_file_without_the_rule_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UsageError, match=message):
        load_config("smoke", [f"rule={tmp_path}/mine.py:RULE"])
    with pytest.raises(UsageError, match="there is no file"):
        load_config("smoke", ["rule=nowhere.py:RULE"])


REFUSED_WITH_THE_NETWORK = [
    (["genome.scales.birth.gain=0.1"], "genome.scales 'birth.gain'; known: alpha, w"),
    (["genome.scales={alhpa: 0.1}"], "genome.scales 'alhpa'; did you mean 'alpha'"),
    (["rule.eta={form: cell_types, number: 17}"], "number 17, but the network has 16 neurons"),
    (["rule.eta={form: clustered, number: 257}"], "but the network has 256 connections"),
    (
        ["lifetime.dynamics.tau_ms={init: 90, transform: positive, lower: 10}"],
        "lower is 10.0, but a time step of task",
    ),
]


@pytest.mark.parametrize(
    ("overrides", "message"),
    REFUSED_WITH_THE_NETWORK,
    ids=[text for _, text in REFUSED_WITH_THE_NETWORK],
)
def test_what_a_network_cannot_have_is_refused_before_the_run(
    overrides: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        build_experiment(load_config("smoke", overrides))


def test_weights_at_birth_do_not_depend_on_how_a_generation_is_cut() -> None:
    configs = [
        load_config("smoke", ["lifetime.birth.weights=random", f"pairs_per_shard={pairs}"])
        for pairs in (1, 4)
    ]
    losses = []
    for experiment in map(build_experiment, configs):
        center_G = experiment.first_genome().center_G
        proposal = experiment.search.ask(experiment.search.init(center_G), 0)
        shards = experiment.population(proposal)
        results = [simulate_population(experiment.problem, center_G, each) for each in shards]
        losses.append(np.concatenate([result.loss_P for result in results]))
    assert (losses[0] == losses[1]).all()
