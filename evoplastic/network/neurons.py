"""Which neuron does what: the groups that every network is made of, in a fixed order.

    stimulus I | feedback F | bias 1 | action signal O | hidden | modulators K | response O

The order and the default sizes are those of Miconi (2023), ICML: 70 neurons with I = F = O = K = 2.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from evoplastic.checks import require
from evoplastic.types import Interface

NUM_FEEDBACK = 2  # F: two neurons carry the outcome, equal or opposed
GROUPS = ("stimulus", "feedback", "bias", "action", "hidden", "modulators", "response")
NUM_GROUPS = len(GROUPS)
PUBLISHED_MODULATORS = 2  # mod = rate of the first minus rate of the second


@dataclass(frozen=True, kw_only=True)
class NeuronGroups:
    """Sizes of the neuron groups; the slices below say where each group lies."""

    num_neurons: int = 70  # N
    num_inputs: int = 2  # I
    num_outputs: int = 2  # O
    num_modulators: int = PUBLISHED_MODULATORS  # K

    def __post_init__(self) -> None:
        Interface(num_inputs=self.num_inputs, num_outputs=self.num_outputs)
        require(
            self.num_modulators >= 1,
            f"num_modulators is {self.num_modulators}, expected at least 1",
        )
        needed = self.num_inputs + NUM_FEEDBACK + 1 + 2 * self.num_outputs + self.num_modulators
        require(
            self.num_neurons > needed,
            f"num_neurons is {self.num_neurons}, but stimulus ({self.num_inputs}), feedback "
            f"({NUM_FEEDBACK}), bias (1), action signal ({self.num_outputs}), modulator "
            f"({self.num_modulators}) and response ({self.num_outputs}) neurons take {needed}; "
            f"use at least {needed + 1} neurons",
        )

    @property
    def stimulus(self) -> slice:
        """Neurons clamped to the stimulus."""
        return slice(0, self.num_inputs)

    @property
    def feedback(self) -> slice:
        """Neurons clamped to the outcome during the feedback window, else to 0."""
        return slice(self.num_inputs, self.num_inputs + NUM_FEEDBACK)

    @property
    def bias(self) -> int:
        """The neuron clamped to a constant."""
        return self.num_inputs + NUM_FEEDBACK

    @property
    def action(self) -> slice:
        """Neurons clamped to the chosen action during the feedback window, else to 0."""
        return slice(self.bias + 1, self.bias + 1 + self.num_outputs)

    @property
    def num_unconnected(self) -> int:
        """Stimulus, feedback and bias neurons receive no innate weights (their rows of w are 0)."""
        return self.bias + 1

    @property
    def num_clamped(self) -> int:
        """Neurons whose rate is overwritten from outside: the first `num_clamped` ones."""
        return self.action.stop

    @property
    def modulators(self) -> slice:
        """The neurons whose rates modulate plasticity and activity, where something lets them."""
        return slice(self.response.start - self.num_modulators, self.response.start)

    @property
    def response(self) -> slice:
        """Sigmoid neurons, read during the response window and silent outside it."""
        return slice(self.num_neurons - self.num_outputs, self.num_neurons)

    @property
    def hidden(self) -> slice:
        """Neurons between the clamped ones and the modulators."""
        return slice(self.num_clamped, self.modulators.start)

    def rows_of(self, group: str) -> slice:
        """The neurons of one of GROUPS."""
        if group == "bias":
            return slice(self.bias, self.bias + 1)
        found: slice = getattr(self, group)
        return found

    @property
    def group_of_each(self) -> list[int]:
        """The place in GROUPS of the group of each neuron."""
        sizes = (self.rows_of(group) for group in GROUPS)
        return [place for place, rows in enumerate(sizes) for _ in range(rows.start, rows.stop)]

    @property
    def interface(self) -> Interface:
        """The lines a task must have to fit this network."""
        return Interface(num_inputs=self.num_inputs, num_outputs=self.num_outputs)

    def describe(self) -> dict[str, int]:
        """Plain sizes, as they are kept in a genome's header; of modulators, only unpublished ones.

        So the digests of published genomes stay what they were.
        """
        sizes = asdict(self)
        if self.num_modulators == PUBLISHED_MODULATORS:
            del sizes["num_modulators"]
        return sizes


def require_lines(groups: NeuronGroups, interface: Interface, task: str) -> None:
    """Refuse a network with fewer lines than a self-paced task needs.

    Raises:
        UsageError: naming the task's and the network's sizes.
    """
    require(
        interface.num_inputs <= groups.num_inputs and interface.num_outputs <= groups.num_outputs,
        f"task {task!r} needs {interface.num_inputs} inputs and {interface.num_outputs} actions, "
        f"the network has {groups.num_inputs} and {groups.num_outputs}; use a genome or a network "
        "with at least as many",
    )


def require_fit(groups: NeuronGroups, interface: Interface, task: str) -> None:
    """Refuse a network and a task whose lines differ in number.

    Raises:
        UsageError: naming the task's and the network's sizes.
    """
    require(
        groups.interface == interface,
        f"task {task!r} has {interface.num_inputs} inputs and {interface.num_outputs} outputs, the "
        f"network has {groups.num_inputs} and {groups.num_outputs}; use a genome or a network of "
        "the task's sizes",
    )
