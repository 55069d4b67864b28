"""Settings and suite that do not meet are refused before the first generation, or stop the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from cluster.config.run import load_config
from cluster.executors import InProcessExecutor, Result, Shard, run_shard
from cluster.experiment import Experiment, build_experiment
from cluster.loop import evolve, resume
from cluster.planning.dry_run import warnings_of
from cluster.planning.selection import doubts, pays, require_selection
from evoplastic.__main__ import main
from evoplastic.checks import UsageError
from evoplastic.lifetime.problem import LifetimeProblem
from evoplastic.lifetime.shards import PopulationResult
from tests.cluster.config.posed import posed_recipes
from tests.cluster.tiny import tiny_bank

CRITIC = ("rule={name: node_perturbation_critic, first_trial: 0}",)

TASKS = '''
"""A bit is shown, an answer asked for; who says what is right, and who pays, differs."""
import numpy as np
from neurogym.core import TrialEnv
from neurogym.utils import spaces


class Both(TrialEnv):
    truth, payment, random, long = True, "right", False, 1

    def __init__(self, dt=20):
        super().__init__(dt=dt)
        self.timing = {"stimulus": 100 * self.long, "answer": 100}
        self.observation_space = spaces.Box(-np.inf, np.inf, shape=(3,), dtype=np.float32)
        self.action_space = spaces.Discrete(3)

    def _new_trial(self, **kwargs):
        trial = {"bit": int(self.rng.randint(2)), "luck": float(self.rng.rand()), **kwargs}
        self.add_period(list(self.timing))
        self.add_ob(1, "stimulus", where=1 + trial["bit"])
        if self.truth:
            self.set_groundtruth(self.right(trial["bit"]), "answer")
        return trial

    def right(self, bit):
        return 1 + bit

    def _step(self, action):
        over = self.in_period("answer") and action != 0
        reward = 0.0
        if over:
            right = action == self.right(self.trial["bit"])
            reward = {"right": float(right), "never": 0.0, "always": 1.0}[self.payment]
        return self.ob_now, reward, False, False, {"new_trial": over}


class Truth(Both):
    payment = "never"


class Reward(Both):
    truth = False


class Other(Both):
    def right(self, bit):
        return 2


class OtherTruth(Other):
    payment = "never"


class OtherReward(Other):
    truth = False


class Neither(Other):
    truth, payment = False, "never"


class Alike(Both):
    """Whatever is done in the end, it pays the same, in a trial as long."""

    truth, payment = False, "always"

    def _step(self, action):
        return self.ob_now, 0.25, False, False, {"new_trial": False}


class Long(Other):
    long = 12
'''
BY_REWARD = ("lifetime.fitness=reward", "lifetime.feedback=reward")


def experiment(folder: Path, train: str, held_out: str, *overrides: str) -> Experiment:
    (folder / "kinds.py").write_text(TASKS)
    suite = folder / "suite.yaml"
    names = [
        ", ".join(f'"kinds.py:{name}"' for name in names.split()) for names in (train, held_out)
    ]
    suite.write_text(
        f"name: kinds\npacing: self_paced\ntrain: [{names[0]}]\nheld_out: [{names[1]}]\n"
    )
    small = ("num_neurons=16", "curriculum=uniform", "banks.trials=16", "engine=reference")
    return build_experiment(load_config("smoke", [f"suite={suite}", *small, *overrides]))


@pytest.mark.parametrize(
    ("train", "held_out", "overrides", "said"),
    [
        ("Reward", "Other", (), "nothing to select on: lifetime.fitness is 'loss'"),
        ("Reward", "Other", (), "select by reward, as with lifetime.fitness=reward"),
        ("Truth", "Other", BY_REWARD, "'Truth' has a ground truth, but pays for no action"),
        ("Truth", "Other", BY_REWARD, "select by answers, as with lifetime.fitness=loss"),
        ("Neither", "Both", (), "give a training task a ground truth or rewards"),
        ("Alike", "Other", BY_REWARD, "pays the same whatever is done"),
        ("Alike Neither", "Other", BY_REWARD, "'Alike', 'Neither': each has no ground truth"),
        ("Truth", "Other", ("rule.outcome=reward",), "rule.outcome is 'reward', but"),
        ("Both", "OtherReward", (), "held-out task 'OtherReward' has no ground truth, only"),
        ("Both", "OtherReward", (), "set lifetime.feedback=reward_prediction_error"),
        ("Both", "Other Neither", (), "held-out task 'Neither' has no ground truth, and pays"),
        (
            "Both",
            "OtherTruth",
            (*BY_REWARD, "rule.outcome=reward"),
            "set lifetime.feedback=correct",
        ),
        ("Both", "Other", ("rule.first_trial=6",), "one of the 6 trials of a lifetime (0 to 5)"),
    ],
)
def test_what_cannot_be_selected_on_is_refused(
    tmp_path: Path, train: str, held_out: str, overrides: tuple[str, ...], said: str
) -> None:
    degenerate = experiment(tmp_path, train, held_out, *overrides)
    with pytest.raises(UsageError) as refused:
        evolve(degenerate.config, tmp_path / "run")
    assert said in str(refused.value)
    assert "; " in str(refused.value), "what to do"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("train", "held_out", "overrides"),
    [
        ("Both", "Other", ()),
        ("Both", "Other", BY_REWARD),
        ("Reward", "OtherReward", BY_REWARD),
        ("Truth", "OtherTruth", ()),
        ("Reward", "OtherReward", (*BY_REWARD, "rule.outcome=reward")),
        ("Reward Both", "Other", ("lifetime.reward_weight=1.0", "lifetime.feedback=reward")),
    ],
)
def test_what_can_be_selected_on_is_not_doubted(
    tmp_path: Path, train: str, held_out: str, overrides: tuple[str, ...]
) -> None:
    sound = experiment(tmp_path, train, held_out, *overrides)
    require_selection(sound)
    assert doubts(sound) == []


@pytest.mark.parametrize(
    ("train", "held_out", "overrides", "said"),
    [
        ("Reward Both", "Other", (), "'Reward' has no ground truth, only rewards: fitness 'loss'"),
        ("Reward", "Other", ("lifetime.fitness=reward",), "told nothing of how it does"),
        ("Both", "Other", ("rule.first_trial=3",), "at trial 3 and scored trials at trial 3"),
        ("Both", "Other Long", ("rule.tau_elig_ms=100",), "when trials of Long end"),
        ("Both", "Other", ("genome.reflex=0.5",), "so that the reflex cancels"),
        ("Both", "Other", CRITIC, "which cancels between the 2 of modulation opposed_pair"),
    ],
)
def test_what_was_hardly_meant_is_warned_of(
    tmp_path: Path, train: str, held_out: str, overrides: tuple[str, ...], said: str
) -> None:
    doubtful = experiment(tmp_path, train, held_out, *overrides)
    require_selection(doubtful)
    (doubt,) = doubts(doubtful)
    assert said in doubt
    assert doubt in warnings_of(doubtful)


def test_a_rule_that_no_outcome_gates_is_not_to_be_given_another_outcome(tmp_path: Path) -> None:
    (doubt,) = doubts(
        experiment(tmp_path, "Truth", "Other", "rule=hebb", "lifetime.feedback=reward")
    )
    assert doubt.endswith("set lifetime.feedback=correct")


def test_rules_without_a_trace_have_no_credit_to_lose(tmp_path: Path) -> None:
    overrides = ("rule=hebb", "rule.tau_elig_ms=10")
    assert doubts(experiment(tmp_path, "Both", "Long", *overrides)) == []


def test_who_explores_with_answers_alone_credits_answers_alone(tmp_path: Path) -> None:
    alone = ("rule.tau_elig_ms=100", "lifetime.perturbation.perturb_hidden=false")
    assert doubts(experiment(tmp_path, "Both", "Other Long", *alone)) == []


@pytest.mark.parametrize("recipe", posed_recipes())
def test_our_recipes_have_something_to_select_on(recipe: str) -> None:
    known = build_experiment(load_config(recipe))
    require_selection(known)
    assert doubts(known) == []


def test_payment_is_told_from_the_table() -> None:
    assert pays(tiny_bank("paid", False))


def test_the_command_line_refuses_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment(tmp_path, "Reward", "OtherReward")
    words = ["evolve", "smoke", f"suite={tmp_path / 'suite.yaml'}", "curriculum=uniform", "--trust"]
    for more in (["--run-dir", str(tmp_path / "run")], ["--dry-run"]):
        assert main([*words, *more]) == 2
        assert "nothing to select on" in capsys.readouterr().err


def all_alike(problem: LifetimeProblem, center_G: Tensor, shard: Shard) -> Result:
    """Lifetimes of individuals that all live alike."""
    result = run_shard(problem, center_G, shard)
    if isinstance(result, PopulationResult):
        return result._replace(loss_P=np.full_like(result.loss_P, 0.5))
    return result


def alike_until(last: int) -> InProcessExecutor:
    """Equal losses in the first generations, as they come from then on."""
    return InProcessExecutor(
        lambda problem, center_G, shard: (all_alike if shard.generation <= last else run_shard)(
            problem, center_G, shard
        )
    )


def flat(*overrides: str) -> list[str]:
    return ["tracking.enabled=false", "evolution.generations=6", *overrides]


def test_three_generations_without_a_pull_stop_a_run(tmp_path: Path) -> None:
    """And who is told how to go on can go on."""
    run, executor = tmp_path / "run", InProcessExecutor(all_alike)
    with pytest.raises(UsageError, match="3 generations in a row told the search nothing") as said:
        evolve(load_config("smoke", flat()), run, executor=executor)
    assert f"resume {run} evolution.flat_generations=0`" in str(said.value)
    assert (run / "STATUS").read_text() == "failed\n"
    on = resume(run, ["evolution.flat_generations=0"], executor=executor)
    assert (on.status, on.generation) == ("done", 6)


def test_why_a_run_stops_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By what is raised; the journal has it as well."""
    run = tmp_path / "run"
    with pytest.raises(UsageError, match="told the search nothing"):
        evolve(load_config("smoke", flat()), run, executor=InProcessExecutor(all_alike))
    assert not any("told the search nothing" in message for message in caplog.messages)
    assert "told the search nothing" in (run / "journal.ndjson").read_text()


def test_generations_without_a_pull_count_across_a_resume(tmp_path: Path) -> None:
    """And a run that stopped for them lives no further one before it is refused again."""
    run, executor = tmp_path / "run", InProcessExecutor(all_alike)
    short = load_config("smoke", flat("evolution.generations=2"))
    assert evolve(short, run, executor=executor).status == "done"
    for _ in range(2):
        with pytest.raises(UsageError, match=r"3 generations in a row.*was 0\.5\)") as said:
            resume(run, ["evolution.generations=6"], executor=executor)
        assert "nan" not in str(said.value)
        assert (run / "journal.ndjson").read_text().count('"event":"generation"') == 3


def test_two_generations_without_a_pull_do_not(tmp_path: Path) -> None:
    config = load_config("smoke", flat())
    assert evolve(config, tmp_path / "run", executor=alike_until(1)).status == "done"


def test_how_many_may_say_nothing_is_a_setting(tmp_path: Path) -> None:
    config = load_config("smoke", flat("evolution.flat_generations=2"))
    with pytest.raises(UsageError, match="2 generations in a row"):
        evolve(config, tmp_path / "run", executor=alike_until(1))
    plain = load_config("smoke", flat())
    assert (plain.digest, plain.path_digest) == (config.digest, config.path_digest)


def test_plasticity_that_begins_after_death_is_refused_with_a_trial_that_works() -> None:
    late = build_experiment(load_config("smoke", ["rule=node_perturbation"]))
    with pytest.raises(UsageError, match=r"starts at trial 31, .* rule.first_trial=1, or raise"):
        require_selection(late)
    require_selection(
        build_experiment(load_config("smoke", ["rule=node_perturbation", "rule.first_trial=1"]))
    )
