"""An independent account of whole lifetimes: trials of fixed timing, and self-paced ones.

Written from the docstrings of `evoplastic.lifetime.config` and `evoplastic.trials`, never from an
engine; the wiring of lines alone is taken as it was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evoplastic.lifetime.batch import LifetimeBatch, PlasticParams
from evoplastic.lifetime.config import LifetimeConfig
from evoplastic.network.neurons import NeuronGroups
from evoplastic.random import counters as noise
from evoplastic.trials.timing import ANSWER, HOLD, OVER_RIGHT, UNSCORED
from tests.evoplastic.oracles.network import Events, Matrix, Network


@dataclass
class Record:
    """What every trial left behind."""

    loss_K: list[float] = field(default_factory=list)
    correct_K: list[bool] = field(default_factory=list)
    reward_K: list[float] = field(default_factory=list)
    steps_K: list[int] = field(default_factory=list)
    entry_K: list[int] = field(default_factory=list)
    choices: list[int] = field(default_factory=list)  # one a trial, or one a step if self-paced
    mod_KT: Matrix = field(default_factory=list)


@dataclass
class OracleLife(Record):
    """One lifetime: the record of every trial, and the network at its end."""

    smoothness: float = 0.0
    x_N: list[float] = field(default_factory=list)
    rate_N: list[float] = field(default_factory=list)
    p_NN: Matrix = field(default_factory=list)
    elig_NN: Matrix = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)  # one per trial kind, or a single one
    mean_correct: float = 0.0
    mean_reward: float = 0.0
    mean_loss: float = 0.0
    events: Events = field(default_factory=Events)


def live(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    individual: int,
) -> OracleLife:
    """One individual's lifetime."""
    record = Record()
    trials = _self_paced if batch.self_paced else _fixed_timing
    network = trials(params, groups, batch, config, individual, record)
    return OracleLife(
        **vars(record),
        smoothness=network.roughness / config.num_trials,
        x_N=network.x,
        rate_N=network.rate,
        p_NN=network.p,
        elig_NN=network.elig,
        baseline=network.baseline,
        mean_correct=network.mean_correct,
        mean_reward=network.mean_reward,
        mean_loss=network.mean_loss,
        events=network.events,
    )


def _fixed_timing(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    individual: int,
    record: Record,
) -> Network:
    tables, fixed = batch.tables, batch.tables.fixed
    timing = fixed.timing
    network = Network(params, groups, batch, config, individual, timing.dt_ms, tables.num_kinds)
    for trial in range(config.num_trials):
        entry, network.taught = _drawn_entry(batch, individual, trial)
        kept = network.learnt()
        kind = int(tables.kind_M[entry]) if config.rule.baseline == "kind" else 0
        target = int(fixed.target_action_M[entry])
        wanted = _wanted(config, target, groups.num_outputs)
        loss, activity, choice = 0.0, [0.0] * groups.num_outputs, -1
        pair = (0.0, 0.0)
        network.mods = []
        for step in range(timing.num_steps):
            network.step(trial, step)
            for line in range(groups.num_inputs):
                shown = float(fixed.stimulus_MTI[entry, step, line])
                network.rate[line] = config.dynamics.stimulus_gain * shown
            _clamp(network, (0.0, 0.0), -1)
            if timing.response[0] <= step < timing.response[1]:
                for action in range(groups.num_outputs):
                    answer = network.rate[network.response + action]
                    loss += (answer - wanted[action]) ** 2 / _length(timing.response)
                    activity[action] += answer
            else:
                network.rate[network.response :] = [0.0] * groups.num_outputs
            network.credit()
            network.modulate(trial, step)
            in_feedback = timing.feedback[0] <= step < timing.feedback[1]
            outcome = None
            if step == timing.feedback[0]:
                choice = activity.index(max(activity))
                correct = choice == target
                reward = float(fixed.reward_MO[entry, choice])
                outcome = (network.seen(loss, correct, reward), kind)
                pair = (
                    _feedback_pair(network, loss, correct, reward) if network.taught else (0.0, 0.0)
                )
                record.correct_K.append(correct)
                record.reward_K.append(reward)
                network.events.feedback.append(pair)
            network.change(trial, step, feedback=in_feedback, outcome=outcome)
            if outcome is not None:
                network.remember(
                    kind, outcome[0], correct, reward, network.shown_loss(loss, correct)
                )
            if in_feedback:
                _clamp(network, pair, choice)
        if not network.taught:
            network.unlearn(kept)
        record.loss_K.append(loss)
        record.steps_K.append(timing.num_steps)
        record.entry_K.append(entry)
        record.choices.append(choice)
        record.mod_KT.append(network.mods)
    return network


def _self_paced(
    params: PlasticParams,
    groups: NeuronGroups,
    batch: LifetimeBatch,
    config: LifetimeConfig,
    individual: int,
    record: Record,
) -> Network:
    tables = batch.tables
    assert batch.wiring is not None
    task = int(batch.task_P[individual])
    num_inputs, num_actions = int(tables.num_inputs_B[task]), int(tables.num_actions_B[task])
    input_line = batch.wiring.input_PI[individual].tolist()
    action_line = batch.wiring.action_PO[individual].tolist()
    network = Network(params, groups, batch, config, individual, tables.dt_ms, tables.num_kinds)

    def show(state: int) -> None:
        network.rate[: groups.num_inputs] = [0.0] * groups.num_inputs
        for channel in range(num_inputs):
            seen = float(tables.observation_VI[state, channel])
            network.rate[input_line[channel]] = config.dynamics.stimulus_gain * seen

    state = int(tables.first_M[_drawn_entry(batch, individual, 0)[0]])
    _clamp(network, (0.0, 0.0), -1)
    show(state)
    for trial in range(config.num_trials):
        entry, network.taught = _drawn_entry(batch, individual, trial)
        kept = network.learnt()
        kind = int(tables.kind_M[entry]) if config.rule.baseline == "kind" else 0
        errors: dict[int, list[float]] = {HOLD: [], ANSWER: []}
        total, step, over = 0.0, 0, False
        network.mods = []
        while not over:
            network.step(trial, step)
            network.credit()
            network.modulate(trial, step)
            answers = [network.rate[network.response + action_line[o]] for o in range(num_actions)]
            choice = answers.index(max(answers))
            record.choices.append(choice)
            part = int(tables.flags_V[state])
            if part != UNSCORED:
                wanted = _wanted(config, int(tables.target_action_V[state]), num_actions)
                errors[part].append(sum((a - b) ** 2 for a, b in zip(answers, wanted, strict=True)))
            paid = float(tables.reward_VO[state, choice])
            onward = int(tables.next_VO[state, choice])
            total += paid
            over, correct = onward < 0, onward == OVER_RIGHT

            rewards = config.feedback in ("reward", "reward_prediction_error")
            pair = (paid, -paid) if rewards and network.taught else (0.0, 0.0)
            outcome = None
            if over:
                means = [sum(found) / len(found) for found in errors.values() if found]
                loss = sum(means) / len(means) if means else 0.0
                outcome = (network.seen(loss, correct, total), kind)
                if network.taught:
                    pair = _feedback_pair(network, loss, correct, paid)
            first = step == 0 and trial > 0  # the feedback of the trial before is there now
            network.change(trial, step, feedback=first, outcome=outcome)
            if outcome is not None:
                network.remember(
                    kind, outcome[0], correct, total, network.shown_loss(loss, correct)
                )
                record.loss_K.append(loss)
                record.correct_K.append(correct)
                record.reward_K.append(total)
                record.steps_K.append(step + 1)
                record.entry_K.append(entry)
                record.mod_KT.append(network.mods)
                onward = int(tables.first_M[_drawn_entry(batch, individual, trial + 1)[0]])
            network.events.feedback.append(pair)
            state = onward
            show(state)
            _clamp(network, pair, action_line[choice])
            step += 1
        if not network.taught:
            network.unlearn(kept)
    return network


def _wanted(config: LifetimeConfig, target: int, num_actions: int) -> list[float]:
    """What the response neuron of each action shall be."""
    low, high = config.target_low, config.target_high
    return [high if action == target else low for action in range(num_actions)]


def _clamp(network: Network, pair: tuple[float, float], line: int) -> None:
    """Set feedback, bias and action signal as the next step finds them; no action is line -1."""
    for number in range(2):
        network.rate[network.feedback + number] = network.dynamics.feedback_gain * pair[number]
    network.rate[network.bias] = network.dynamics.bias_rate
    for number in range(network.groups.num_outputs):
        signal = network.dynamics.action_gain if number == line else 0.0
        network.rate[network.action + number] = signal


def _feedback_pair(
    network: Network, loss: float, correct: bool, reward: float
) -> tuple[float, float]:
    """What the two feedback neurons carry at a trial's outcome, before their gain."""
    kind = network.config.feedback
    if kind == "loss":
        shown = network.shown_loss(loss, correct)
        return shown, shown
    value = {
        "correct": 1.0 if correct else -1.0,
        "prediction_error": 2.0 * (float(correct) - network.mean_correct),
        "graded": 2.0 * (0.5 - network.shown_loss(loss, correct)),
        "graded_prediction_error": 2.0 * (network.mean_loss - network.shown_loss(loss, correct)),
        "reward": reward,
        "reward_prediction_error": reward - network.mean_reward,
    }[kind]
    return value, -value


def _drawn_entry(batch: LifetimeBatch, individual: int, trial: int) -> tuple[int, bool]:
    """The trial that comes next, and whether it teaches: of fixed timing uniform over its task's,
    self-paced the next after the first of a random block, of a stream as its course has it."""
    task, tables = int(batch.task_P[individual]), batch.tables
    start, size, block = (
        int(each[task]) for each in (tables.start_B, tables.size_B, tables.block_B)
    )
    course = tables.course_B[task]
    if course is not None:
        k = min(trial, course.num_trials - 1)
        start += int(course.start_K[k])
        size, block = int(course.size_K[k]), int(course.block_K[k])
        word = _word(batch, individual, int(course.key_K[k]))
        place = word * (size // block) // 2**32 * block + int(course.offset_K[k])
        return start + place % size, not bool(course.probe_K[k])
    if batch.self_paced:
        place = _word(batch, individual, 0) * (size // block) // 2**32 * block
        return start + (place + trial) % size, True
    return start + _word(batch, individual, trial) * size // 2**32, True


def _word(batch: LifetimeBatch, individual: int, trial: int) -> int:
    """The word that decides on the order of trials."""
    purpose = noise.Purpose.EVALUATION_TRIAL if batch.evaluation else noise.Purpose.TRIAL
    stream = int(batch.trial_stream_P[individual])
    return int(noise.words(batch.seed, purpose, batch.epoch, stream, trial, 1)[0])


def _length(window: tuple[int, int]) -> int:
    return window[1] - window[0]
