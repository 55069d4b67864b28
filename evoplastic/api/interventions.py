"""What may be done to a network, as a user writes it, and checked against the network.

hidden:0-19       neurons 0 to 19 of a group, by their number in the group
modulators        all of a group
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from evoplastic.checks import require, require_known, whole_number

if TYPE_CHECKING:
    from evoplastic.genome.layout import Layout
    from evoplastic.network.neurons import NeuronGroups

MEAN = "mean"  # of a neuron's own rates in the same life of the intact network
Source = Literal["trials", "steps", "life"]
WORDS: dict[Source, str] = {
    "trials": "shuffle",
    "steps": "shuffle steps of",
    "life": "from another life",
}
OVERWRITTEN = ("hidden", "modulators", "response")  # groups whose rates are a network's own


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What is done to a network at once; neurons by their number in the network."""

    name: str
    lesion: tuple[int, ...] = ()
    clamp: dict[int, float | None] = field(default_factory=dict)  # None = the mean
    replay: dict[int, Source] = field(default_factory=dict)  # where else rates are taken from
    frozen_from: int | None = None
    scale: dict[str, float] = field(default_factory=dict)

    @property
    def from_intact(self) -> list[int]:
        """Neurons whose rates in the intact network must be known."""
        return sorted({n for n, rate in self.clamp.items() if rate is None} | set(self.replay))

    @property
    def overwrites(self) -> bool:
        """Whether rates are imposed."""
        return bool(self.clamp or self.replay)


def probes(
    layout: Layout,
    num_trials: int,
    *,
    lesion: str | Sequence[str] = (),
    clamp: Mapping[str, float | str] | None = None,
    freeze_plasticity_after: int | None = None,
    shuffle: str | Sequence[str] = (),
    shuffle_steps: str | Sequence[str] = (),
    another_life: str | Sequence[str] = (),
    scale: Mapping[str, float] | None = None,
    each: bool = False,
) -> list[Probe]:
    """All that is asked for as one probe, or each intervention as a probe of its own.

    Raises:
        UsageError: nothing is asked for, neurons or fields that are not there, a rate that a neuron
            cannot have, a neuron to which two things are done at once.
    """
    groups, found = layout.groups, list[Probe]()
    for text in _listed(lesion):
        neurons = tuple(neurons_of(text, groups))
        found.append(Probe(name=f"lesion {text}", lesion=neurons))
    for text, rate in (clamp or {}).items():
        found.append(_clamp(text, rate, groups))
    if freeze_plasticity_after is not None:
        found.append(_freeze(freeze_plasticity_after, num_trials))
    sources: list[tuple[Source, str | Sequence[str]]] = [
        ("trials", shuffle),
        ("steps", shuffle_steps),
        ("life", another_life),
    ]
    for source, texts in sources:
        for text in _listed(texts):
            neurons = tuple(_overwritten(text, groups))
            name = f"{text} {WORDS[source]}" if source == "life" else f"{WORDS[source]} {text}"
            found.append(Probe(name=name, replay=dict.fromkeys(neurons, source)))
    for name, factor in (scale or {}).items():
        found.append(_scale(name, factor, layout))
    require(
        len(found) > 0,
        "nothing is to be done to the network; give a lesion, a clamp, a trial from which on "
        "plasticity is frozen, neurons to shuffle, or a field to scale",
    )
    names = [probe.name for probe in found]
    require(len(set(names)) == len(names), f"{names} are asked for, one of them twice")
    return found if each else [_together(found)]


def neurons_of(text: str, groups: NeuronGroups) -> list[int]:
    """The neurons that a text means.

    >>> from evoplastic.network.neurons import NeuronGroups
    >>> neurons_of("hidden:0-2,5", NeuronGroups())
    [7, 8, 9, 12]

    Raises:
        UsageError: no such group, or neurons that it does not have.
    """
    from evoplastic.lifetime.recording import numbers_written
    from evoplastic.network.neurons import GROUPS

    require(isinstance(text, str), f"neurons are {text!r}, expected a group, as in hidden:0-19")
    group, colon, listed = text.partition(":")
    require_known("group of neurons", group, GROUPS)
    rows = groups.rows_of(group)
    there = range(rows.start, rows.stop)
    if not colon:
        return list(there)
    numbers = numbers_written(listed, f"{group} neurons")
    outside = [number for number in numbers if not 0 <= number < len(there)]
    require(
        not outside,
        f"{group} neurons {outside[:8]} are asked for, the network has {len(there)}, numbered 0 to "
        f"{len(there) - 1}",
    )
    return [there[number] for number in sorted(set(numbers))]


def _overwritten(text: str, groups: NeuronGroups) -> list[int]:
    neurons = neurons_of(text, groups)
    group = text.partition(":")[0]
    require(
        group in OVERWRITTEN,
        f"{group} neurons are set by the task, their rates cannot be given; lesion them, or choose "
        f"among {', '.join(OVERWRITTEN)}",
    )
    return neurons


def _clamp(text: str, rate: float | str, groups: NeuronGroups) -> Probe:
    neurons = _overwritten(text, groups)
    if rate == MEAN:
        return Probe(name=f"clamp {text}={MEAN}", clamp=dict.fromkeys(neurons))
    try:
        value = math.nan if isinstance(rate, bool) else float(rate)
    except (TypeError, ValueError):
        value = math.nan
    least = 0 if text.startswith("response") else -1
    require(
        least <= value <= 1,
        f"{text} is clamped to {rate!r}, expected a rate from {least} to 1, or {MEAN!r}",
    )
    return Probe(name=f"clamp {text}={value:g}", clamp=dict.fromkeys(neurons, value))


def _freeze(trial: int, num_trials: int) -> Probe:
    trial = whole_number("freeze_plasticity_after", trial, 0)
    require(
        trial < num_trials,
        f"plasticity is frozen after {trial} trials, a lifetime has {num_trials} "
        "(lifetime.num_trials); choose fewer",
    )
    return Probe(name=f"plasticity frozen after {trial}", frozen_from=trial)


def _scale(name: str, factor: float, layout: Layout) -> Probe:
    require_known("field of the genome", name, layout.slices)
    positive = next(each for each in layout.fields if each.name == name).transform == "positive"
    known = isinstance(factor, int | float) and not isinstance(factor, bool)
    require(
        known and math.isfinite(factor) and (factor > 0 or not positive),
        f"{name} is scaled by {factor!r}, expected a finite number"
        + (" above 0: the field is positive" if positive else ""),
    )
    return Probe(name=f"scale {name}={factor:g}", scale={name: float(factor)})


def _together(found: Sequence[Probe]) -> Probe:
    """All of them as one, unless two would set the same neuron."""
    treated: dict[int, str] = {}
    for probe in found:
        for neuron in {*probe.lesion, *probe.clamp, *probe.replay}:
            require(
                neuron not in treated,
                f"{treated.get(neuron)!r} and {probe.name!r} set the same neuron (number {neuron} "
                "of the network); probe them one at a time (--each, each=True)",
            )
            treated[neuron] = probe.name
    merged = Probe(name=", ".join(probe.name for probe in found))
    for probe in found:
        merged.clamp.update(probe.clamp)
        merged.replay.update(probe.replay)
        merged.scale.update(probe.scale)
    frozen = [probe.frozen_from for probe in found if probe.frozen_from is not None]
    return Probe(
        name=merged.name,
        lesion=tuple(neuron for probe in found for neuron in probe.lesion),
        clamp=merged.clamp,
        replay=merged.replay,
        frozen_from=frozen[0] if frozen else None,
        scale=merged.scale,
    )


def _listed(texts: str | Iterable[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)
