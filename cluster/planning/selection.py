"""Whether settings and suite, seen together, give evolution something to select on.

Each is sound by itself: what makes an experiment degenerate is that they do not meet. A task says
how good an answer is by its ground truth, by what it pays, or by both; the settings
`lifetime.fitness`, `lifetime.feedback` and `rule.outcome` each look at one of the two. Tasks are
judged by the same sample of trials by which a suite compares them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cluster.config.run import RunConfig
from cluster.experiment import Experiment
from evoplastic.checks import require
from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.node_perturbation import NODE_PERTURBATION_CRITIC
from evoplastic.trials.table import TrialTable
from tasks.suites.suite import Suite

REWARD_FEEDBACK = ("reward", "reward_prediction_error")
FADED = 1e-5  # share of a credit below which nothing of it is left
BY_ANSWERS = "lifetime.fitness=loss lifetime.feedback=correct rule.outcome=graded"
BY_REWARD = (
    "lifetime.fitness=reward lifetime.feedback=reward_prediction_error rule.outcome=reward "
    "rule.baseline=single"
)


@dataclass(frozen=True)
class Expression:
    """In which ways a task says how good an answer is."""

    task: str
    answers: bool  # some answer is right
    pays: bool  # rewards depend on what is done


@dataclass(frozen=True)
class Looks:
    """At which of the two a part of the settings looks."""

    answers: bool
    reward: bool

    def see(self, task: Expression) -> bool:
        """Whether the part can tell a good answer to the task from a bad one."""
        return (self.answers and task.answers) or (self.reward and task.pays)


def require_selection(experiment: Experiment) -> None:
    """Refuse an experiment that evolution or plasticity cannot do anything in.

    Raises:
        UsageError: no training task gives the fitness anything to select on; no training task pays
            and the outcome is its reward; a held-out task that neither fitness, feedback nor
            outcome can express; or a lifetime that is over before the first plastic trial.
    """
    config, suite = experiment.config, experiment.suite
    train, held_out = expressions(suite)
    fitness, informed = fitness_looks(config), network_looks(config)
    require(
        any(fitness.see(task) for task in train),
        f"there is nothing to select on: lifetime.fitness is {config.lifetime.fitness!r}, expected "
        f"one by which some training task tells good from bad, but {_all_say(train)}; "
        + (
            f"select by reward, as with {BY_REWARD}, or train on tasks with ground truth"
            if any(task.pays for task in train)
            else f"select by answers, as with {BY_ANSWERS}, or train on tasks that pay"
            if any(task.answers for task in train)
            else "give a training task a ground truth or rewards that depend on the action"
        ),
    )
    require(
        not _gated_by_reward(config) or any(task.pays for task in train),
        f"rule.outcome is 'reward', but {_all_say(train)}, so that plasticity would never be "
        "gated; set rule.outcome to graded or binary, or train on tasks that pay",
    )
    for task in held_out:
        require(
            fitness.see(task) or informed.see(task),
            f"held-out task {task.task!r} {_says(task)}, but lifetime.fitness "
            f"{config.lifetime.fitness!r}, lifetime.feedback {config.lifetime.feedback!r} and "
            f"{_outcome(config)} look at something else, so that no network could learn it; "
            + _way_out(task, config),
        )
    first, trials = config.rule.constants.first_trial, config.lifetime.num_trials
    require(
        first < trials,
        f"plasticity starts at trial {first}, expected one of the {trials} trials of a lifetime "
        f"(0 to {trials - 1}): nothing would be learnt; set rule.first_trial to less, "
        f"for example rule.first_trial={trials // 6}, or raise lifetime.num_trials",
    )


def doubts(experiment: Experiment) -> list[str]:
    """What can be selected on, but not as it was probably meant."""
    config, suite = experiment.config, experiment.suite
    train, held_out = expressions(suite)
    fitness, informed = fitness_looks(config), network_looks(config)
    blind = [task for task in train if not fitness.see(task)]
    found = [
        f"training task {task.task!r} {_says(task)}: fitness {config.lifetime.fitness!r} selects "
        "nothing on it; leave it out, or set lifetime.reward_weight"
        for task in blind
    ]
    found += [
        f"a network on task {task.task!r} is told nothing of how it does: the task {_says(task)}, "
        f"lifetime.feedback is {config.lifetime.feedback!r}, {_outcome(config)}; "
        + _way_out(task, config)
        for task in (*train, *held_out)
        if task not in blind and not informed.see(task)
    ]
    first = config.rule.constants.first_trial
    scored = config.lifetime.num_trials - config.lifetime.scored_trials
    if first > 0 and scored <= first < config.lifetime.num_trials:
        found.append(
            f"plasticity starts at trial {first} and scored trials at trial {scored}: some are "
            "scored without plasticity before them; lower rule.first_trial or "
            "lifetime.scored_trials"
        )
    if config.genome.reflex and config.lifetime.feedback == "loss":
        found.append(
            f"genome.reflex is {config.genome.reflex}, but lifetime.feedback 'loss' is the same on "
            "both feedback neurons, so that the reflex cancels; set lifetime.feedback to correct "
            "or another that is opposed"
        )
    modulators = config.modulation.table.num_neurons
    if config.rule.name == NODE_PERTURBATION_CRITIC.name and modulators > 1:
        found.append(
            f"rule {config.rule.name} lets modulatory neurons unlearn what they share with "
            f"activity, which cancels between the {modulators} of modulation "
            f"{config.modulation.name}; set modulation=single"
        )
    return found + _credit_doubts(config, suite)


def expressions(suite: Suite) -> tuple[list[Expression], list[Expression]]:
    """Of the training tasks, and of the held-out tasks."""
    found = [_expression(suite, name) for name in suite.task_names]
    return found[: len(suite.train)], found[len(suite.train) :]


def fitness_looks(config: RunConfig) -> Looks:
    """What evolution selects by."""
    lifetime = config.lifetime
    by_reward = lifetime.fitness == "reward"
    return Looks(answers=not by_reward, reward=by_reward or lifetime.reward_weight > 0)


def network_looks(config: RunConfig) -> Looks:
    """What a network is told of how it does: by feedback neurons, and by what gates its rule."""
    by_reward = config.lifetime.feedback in REWARD_FEEDBACK
    gated = config.rule.table.modulator == "outcome"
    graded = gated and config.rule.outcome != "reward"
    return Looks(answers=not by_reward or graded, reward=by_reward or (gated and not graded))


def pays(table: TrialTable) -> bool:
    """Whether what a trial pays depends on what is done in it.

    It does where the actions of a state pay differently, or lead on differently and anything is
    paid at all.
    """
    if bool((np.ptp(table.reward_VO, axis=1) > 0).any()):
        return True
    onward_VO = np.maximum(table.next_VO, -1)  # well or badly, a trial that is over is over
    branches = bool((np.ptp(onward_VO, axis=1) > 0).any())
    return branches and bool((table.reward_VO != 0).any())


def _expression(suite: Suite, name: str) -> Expression:
    table, task = suite.sample(name), suite.task(name)
    if not task.stepped:
        return Expression(name, table.has_answers, pays(table))
    paid = bool((table.reward_VO != 0).any())  # to whoever takes the target actions
    if not paid:
        levels = task.levels()
        paid = len({levels.chance.reward, levels.best_fixed.reward, levels.oracle.reward}) > 1
    return Expression(name, table.has_answers, paid)


def _credit_doubts(config: RunConfig, suite: Suite) -> list[str]:
    """Tasks whose first step has lost its credit when the longest of their trials ends.

    A network that explores with its answers alone has none to give before it answers.
    """
    tau_ms, credits = config.rule.tau_elig_ms, config.rule.table.credits
    if not credits or isinstance(tau_ms, Evolvable) or tau_ms is None:
        return []
    of_noise = all(credit.post == "noise" for credit in credits)
    if of_noise and not config.lifetime.perturbation.perturb_hidden:
        return []
    samples = {name: suite.sample(name) for name in suite.task_names}
    lasting = {name: table.num_steps * table.dt_ms for name, table in samples.items()}
    lost = [name for name, trial_ms in lasting.items() if math.exp(-trial_ms / tau_ms) < FADED]
    if not lost:
        return []
    longest = max(lost, key=lasting.__getitem__)
    return [
        f"trials last longer than credit: with rule.tau_elig_ms = {tau_ms:g}, less than {FADED:g} "
        f"of what a first step is credited with is left when trials of {', '.join(lost)} end, the "
        f"longest of them, of {longest!r}, after {lasting[longest]:g} ms; raise rule.tau_elig_ms "
        "to the time from stimulus to outcome"
    ]


def _gated_by_reward(config: RunConfig) -> bool:
    return config.rule.table.modulator == "outcome" and config.rule.outcome == "reward"


def _outcome(config: RunConfig) -> str:
    if config.rule.table.modulator != "outcome":
        return f"rule {config.rule.name!r} is gated by no outcome"
    return f"rule.outcome {config.rule.outcome!r}"


def _says(task: Expression) -> str:
    if task.answers:
        return "has a ground truth" + (" and pays" if task.pays else ", but pays for no action")
    return "has no ground truth, " + (
        "only rewards" if task.pays else "and pays the same whatever is done"
    )


def _all_say(tasks: list[Expression]) -> str:
    """What all tasks have in common, in words.

    >>> _all_say([Expression("a", False, True)])
    "training task 'a' has no ground truth, only rewards"
    """
    kinds = dict.fromkeys(_says(task) for task in tasks)
    if len(tasks) == 1:
        return f"training task {tasks[0].task!r} {_says(tasks[0])}"
    return "; ".join(
        f"{', '.join(repr(task.task) for task in tasks if _says(task) == kind)}: each {kind}"
        for kind in kinds
    )


def _way_out(task: Expression, config: RunConfig) -> str:
    gated = config.rule.table.modulator == "outcome"
    if task.pays and not task.answers:
        or_so = ", or rule.outcome=reward" if gated else ""
        return f"set lifetime.feedback=reward_prediction_error{or_so}"
    if task.answers:
        return "set lifetime.feedback=correct" + (", or rule.outcome=graded" if gated else "")
    return "leave it out, or give it a ground truth or rewards"
