"""The lifetimes behind a probe: of the intact network, and of the one that something is done to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from evoplastic.api.interventions import Probe, Source
from evoplastic.api.setting import Setting
from evoplastic.checks import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from evoplastic.engines.standing_in import Lifetimes
    from evoplastic.lifetime.batch import LifetimeResult
    from evoplastic.lifetime.intervention import Intervention
    from evoplastic.lifetime.shards import ReplicateResult

LIVES_AT_A_TIME = 64
BYTES_AT_A_TIME = 1 << 27  # of rates, while those of the intact network are read


class Lives(NamedTuple):
    """Lifetimes of one task, and the rates of some neurons in them."""

    result: ReplicateResult
    rate_LKTM: NDArray[np.float32] | None


def intact_lives(
    setting: Setting, task: int, lifetimes: int, neurons: Sequence[int], engines: set[str]
) -> Lives:
    """The lifetimes without an intervention, and the rates [L, K, T, M] of some neurons."""
    import numpy as np

    from evoplastic.engines.intervened import intervene_lifetimes
    from evoplastic.engines.recorded import record_lifetimes
    from evoplastic.lifetime.intervention import NOTHING
    from evoplastic.lifetime.recording import Recording

    num_trials = setting.problem.lifetime.num_trials
    recording = Recording(trials=tuple(range(num_trials)), fields=("rate",))
    kept: dict[int, NDArray[np.float32]] = {}

    def live(first: int, case: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        if not neurons:
            result, ran = intervene_lifetimes(*case, NOTHING, engine=engine, threads=threads)
        else:
            result, recorded, ran = record_lifetimes(
                *case, recording, engine=engine, threads=threads
            )
            kept[first] = recorded.fields["rate"][..., list(neurons)]
        engines.add(ran)
        return result

    at_a_time = LIVES_AT_A_TIME
    if neurons:
        _require_room(setting, task, lifetimes, len(neurons))
        size = 4 * num_trials * _steps(setting, task) * setting.genome.groups.num_neurons
        at_a_time = max(1, min(LIVES_AT_A_TIME, BYTES_AT_A_TIME // size))
    result = _lifetimes(setting, task, lifetimes, at_a_time, live, setting.genome.center_G)
    rates = np.concatenate([kept[first] for first in sorted(kept)]) if kept else None
    return Lives(result, rates)


def probed_lives(
    setting: Setting,
    task: int,
    each: Probe,
    intact: Lives,
    neurons: Sequence[int],
    lifetimes: int,
    engines: set[str],
) -> ReplicateResult:
    """The same lifetimes with something done; adds the engine that ran to `engines`."""
    from evoplastic.engines.intervened import intervene_lifetimes

    rate_LKTM = None
    if each.from_intact:
        assert intact.rate_LKTM is not None
        rate_LKTM = intact.rate_LKTM[..., [neurons.index(n) for n in each.from_intact]]
    whole = _intervention(each, rate_LKTM, lifetimes, setting.problem.seed)

    def live(first: int, case: Lifetimes, engine: str, threads: int) -> LifetimeResult:
        part = whole.of_lives(first, first + len(case.params.w_PNN))
        result, ran = intervene_lifetimes(*case, part, engine=engine, threads=threads)
        engines.add(ran)
        return result

    layout, center_G = setting.genome.layout, setting.genome.center_G
    if each.scale:
        values = setting.genome.values
        scaled = {name: values[name] * factor for name, factor in each.scale.items()}
        center_G = layout.join(values | scaled)
    return _lifetimes(setting, task, lifetimes, LIVES_AT_A_TIME, live, center_G)


def _lifetimes(
    setting: Setting,
    task: int,
    lifetimes: int,
    at_a_time: int,
    live: Callable[[int, Lifetimes, str, int], LifetimeResult],
    center_G: Tensor,
) -> ReplicateResult:
    """All lifetimes of a task, some at a time; the reference has a thread for each part."""
    import numpy as np

    from evoplastic.engines import usable_threads
    from evoplastic.engines.standing_in import standing_in
    from evoplastic.lifetime.shards import ReplicateResult, ReplicateShard, simulate_replicates

    def part(first: int) -> ReplicateResult:
        number = min(at_a_time, lifetimes - first)
        shard = ReplicateShard(0, task, first, number, True)
        run = standing_in(partial(live, first))
        return simulate_replicates(setting.problem, center_G, shard, run=run)

    _ = setting.problem.stacked  # made once, not by each thread
    threads = 1
    if setting.problem.engine == "reference":
        threads = usable_threads(setting.problem.threads)
        at_a_time = min(at_a_time, -(-lifetimes // threads))
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(part, range(0, lifetimes, at_a_time)))
    return ReplicateResult(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _intervention(
    each: Probe, rate_LKTM: NDArray[np.float32] | None, lifetimes: int, seed: int
) -> Intervention:
    """What an engine is told, for all lives."""
    import numpy as np

    from evoplastic.lifetime.intervention import Intervention

    held_PH = played = None
    if each.clamp:
        held_PH = np.empty((lifetimes, len(each.clamp)), dtype=np.float32)
        for column, (neuron, rate) in enumerate(each.clamp.items()):
            if rate is None:
                assert rate_LKTM is not None
                own = rate_LKTM[..., each.from_intact.index(neuron)]
                held_PH[:, column] = np.nanmean(own, axis=(1, 2), dtype=np.float64)
            else:
                held_PH[:, column] = rate
    if each.replay:
        assert rate_LKTM is not None
        columns = [each.from_intact.index(neuron) for neuron in each.replay]
        sources = list(each.replay.values())
        played = np.empty((*rate_LKTM.shape[:3], len(columns)), dtype=np.float32)
        for source in dict.fromkeys(sources):
            which = [place for place, own in enumerate(sources) if own == source]
            taken = rate_LKTM[..., [columns[place] for place in which]]
            played[..., which] = elsewhere(taken, source, seed)
    return Intervention(
        lesioned=each.lesion,
        held=tuple(each.clamp),
        held_PH=held_PH,
        played=tuple(each.replay),
        played_PKTH=played,
        frozen_from=each.frozen_from,
    )


def elsewhere(rate_LKTM: NDArray[np.float32], source: Source, seed: int) -> NDArray[np.float32]:
    """Rates in another order: of trials, of steps, or of lives; neurons stay together.

    Where a trial lasts longer than the one whose rates it has, the last rates stay.
    """
    import numpy as np

    if source == "life":
        found = np.roll(rate_LKTM, -1, axis=0)
    else:
        found = rate_LKTM.copy()
        for life, own_KTM in enumerate(found):
            random = np.random.default_rng([seed, life])
            if source == "trials":
                own_KTM[:] = own_KTM[random.permutation(len(own_KTM))]
            else:
                there = ~np.isnan(own_KTM[..., 0])
                values = own_KTM[there]
                own_KTM[there] = values[random.permutation(len(values))]
    for step in range(1, found.shape[2]):
        over = np.isnan(found[:, :, step])
        found[:, :, step] = np.where(over, found[:, :, step - 1], found[:, :, step])
    return found


def _steps(setting: Setting, task: int) -> int:
    from evoplastic.trials.table import TrialTable

    trials = setting.tasks[task].trials
    return trials.num_steps if isinstance(trials, TrialTable) else trials.max_trial_steps


def _require_room(setting: Setting, task: int, lifetimes: int, neurons: int) -> None:
    """Refuse more rates than fit into memory.

    Raises:
        UsageError: with their size.
    """
    import psutil

    num_trials, steps = setting.problem.lifetime.num_trials, _steps(setting, task)
    size = 3 * 4 * lifetimes * num_trials * steps * neurons  # theirs, in another order, in between
    room = psutil.virtual_memory().available // 2
    require(
        size <= room,
        f"the rates of {neurons} neurons in {lifetimes} lifetimes take {size / 2**30:.1f} GiB, "
        f"{room / 2**30:.1f} GiB are at hand; probe fewer lifetimes",
    )
