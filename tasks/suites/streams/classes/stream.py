"""A stream of classes as trials: class after class is taught, once, and all so far are probed.

    part 1         classes 1 .. c_1, so many examples of each in a row, pattern and label
    probes         new examples of classes 1 .. c_1, the pattern alone: the answer is the label
    part 2         classes c_1 + 1 .. c_2, and so on

Which label a class has is drawn for each stream, and so are its classes, so that no genome can know
them. Nothing is learnt at probes, and no class comes back: accuracy at a probe is what is left.

Source: the meta-test of OML (Javed & White 2019) and of ANML (Beaulieu et al. 2020), with labels
that are shown as in the few-shot tasks of Miconi, Stanley & Clune 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evoplastic.checks import require
from evoplastic.trials.course import block_course
from evoplastic.trials.table import TrialTable
from evoplastic.trials.timing import ANSWER, UNSCORED, fixed_course
from evoplastic.types import NO_TARGET, BoolArray, Float32Array, Int64Array
from tasks.suites.streams.classes.patterns import draw_examples, draw_prototypes

MOST = 4096  # of classes, labels, examples, pixels or probes
MOST_STEPS = 100
ORDER_SEED = 0  # of the numbers of classes, which say nothing: classes are drawn for each stream


@dataclass(frozen=True, kw_only=True)
class ClassStream:
    """What a stream of classes is.

    Raises:
        UsageError: a number out of range, fewer labels than classes, or probes that do not follow
            one another.
    """

    classes: int = 10
    labels: int = 100
    """Label lines, and as many answers; each stream uses as many of them as it has classes."""
    examples: int = 5
    """Of each class, one after the other."""
    probed_after: tuple[int, ...] = ()
    """Numbers of classes after which all classes so far are probed; after the last one always."""
    probes: int = 50
    """New examples each time, of classes so far in turn."""
    pixels: int = 32
    noise: float = 0.15
    """Chance that a pixel of an example is turned over."""
    trial_steps: int = 4
    shuffled: bool = False
    """Whether examples of the classes between two times of probes come in any order: with one time,
    the order of independent draws (the oracle of OML and ANML)."""

    def __post_init__(self) -> None:
        for name in ("classes", "labels", "examples", "probes", "pixels", "trial_steps"):
            value, least = getattr(self, name), 2 if name in ("classes", "labels") else 1
            most = MOST_STEPS if name == "trial_steps" else MOST
            require(
                type(value) is int and least <= value <= most,
                f"{name} of a stream of classes is {value!r}, expected a whole number from {least} "
                f"to {most}",
            )
        require(
            self.classes <= self.labels,
            f"a stream of {self.classes} classes has {self.labels} labels, expected at least one "
            "for each",
        )
        require(
            isinstance(self.noise, int | float) and 0 <= self.noise < 0.5,
            f"noise of a stream of classes is {self.noise!r}, expected a chance in [0, 0.5)",
        )
        after = self.probed_after
        require(
            isinstance(after, tuple)
            and all(type(number) is int for number in after)
            and list(after) == sorted(set(after))
            and all(1 <= number <= self.classes for number in after),
            f"probed_after of a stream of classes is {after!r}, expected rising numbers of classes "
            f"from 1 to {self.classes}",
        )
        require(
            isinstance(self.shuffled, bool),
            f"shuffled of a stream of classes is {self.shuffled!r}, expected true or false",
        )

    @property
    def part_ends(self) -> tuple[int, ...]:
        """The number of classes that were taught by the end of each part."""
        return tuple(sorted({*self.probed_after, self.classes}))

    @property
    def num_trials(self) -> int:
        """K, of one stream."""
        return self.classes * self.examples + len(self.part_ends) * self.probes

    @property
    def part_K(self) -> Int64Array:
        """The part that a trial belongs to, or that a probe follows."""
        starts = (0, *self.part_ends)
        lengths = [
            (stop - start) * self.examples + self.probes
            for start, stop in zip(starts, self.part_ends, strict=False)
        ]
        return np.repeat(np.arange(len(lengths)), lengths)

    @property
    def probe_K(self) -> BoolArray:
        """Trials that ask, and do not teach."""
        stop_of_part = np.cumsum(np.bincount(self.part_K))
        left_K = stop_of_part[self.part_K] - np.arange(self.num_trials)
        return np.asarray(left_K <= self.probes)

    def table(self, task: str, num_streams: int, seed: int, dt_ms: float) -> TrialTable:
        """The trials of some streams, one after the other; a function of the arguments.

        Args:
            task: its name.
            num_streams: of how many.
            seed: stream n of a seed is the same, however many there are.
            dt_ms: time step.
        """
        streams = [self.draw(seed, number) for number in range(num_streams)]
        shown_MI = np.concatenate([shown_KI for shown_KI, _ in streams])
        answer_M = np.concatenate([answer_K for _, answer_K in streams])
        M, T, O = len(answer_M), self.trial_steps, self.labels
        target_MT = np.full((M, T), NO_TARGET, dtype=np.int64)
        target_MT[:, -1] = answer_M
        flags_MT = np.full((M, T), UNSCORED, dtype=np.int8)
        flags_MT[:, -1] = ANSWER
        reward_MTO = np.zeros((M, T, O), dtype=np.float32)
        reward_MTO[np.arange(M), -1, answer_M] = 1.0
        return TrialTable(
            task=task,
            dt_ms=dt_ms,
            observation_VI=shown_MI.repeat(T, axis=0),
            target_action_V=target_MT.reshape(-1),
            flags_V=flags_MT.reshape(-1),
            reward_VO=reward_MTO.reshape(M * T, O),
            next_VO=fixed_course(answer_M, T, O),
            first_M=T * np.arange(M, dtype=np.int64),
            kind_M=np.zeros(M, dtype=np.int64),
            course=block_course(
                num_trials=M,
                parts=[f"{end} classes" for end in self.part_ends],
                tasks=[
                    f"classes {start + 1}-{stop}"
                    for start, stop in zip((0, *self.part_ends), self.part_ends, strict=False)
                ],
                part_K=self.part_K,
                task_K=np.searchsorted(self.part_ends, self.class_K, side="right"),
                probe_K=self.probe_K,
            ),
        )

    @property
    def class_K(self) -> Int64Array:
        """The class of each trial, the same numbers in each stream; probes ask classes evenly."""
        rng = np.random.default_rng(ORDER_SEED)
        trials = []
        for start, stop in zip((0, *self.part_ends), self.part_ends, strict=False):
            taught = np.repeat(np.arange(start, stop), self.examples)
            trials.append(rng.permutation(taught) if self.shuffled else taught)
            trials.append(rng.permutation(np.arange(self.probes) * stop // self.probes))
        return np.concatenate(trials)

    def draw(self, seed: int, number: int) -> tuple[Float32Array, Int64Array]:
        """Observations [K, I] and answers [K] of one stream; what is shown is

        pixels, +1 or -1 each | label lines, 1 on that of the class while it is taught
        """
        rng = np.random.default_rng([seed, number])
        prototype_CX = draw_prototypes(rng, self.classes, self.pixels)
        label_K = rng.permutation(self.labels)[self.class_K]
        shown_KI = np.zeros((self.num_trials, self.pixels + self.labels), dtype=np.float32)
        shown_KI[:, : self.pixels] = draw_examples(rng, prototype_CX, self.class_K, self.noise)
        taught_K = np.flatnonzero(~self.probe_K)
        shown_KI[taught_K, self.pixels + label_K[taught_K]] = 1.0
        return shown_KI, label_K
