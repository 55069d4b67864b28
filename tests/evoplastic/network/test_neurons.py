"""Neuron groups: the published layout, and a partition for every size."""

from __future__ import annotations

import pytest

from evoplastic.checks import UsageError
from evoplastic.network.neurons import NeuronGroups, require_fit
from evoplastic.types import Interface


def _indices(group: slice) -> list[int]:
    return list(range(group.start, group.stop))


def test_default_layout_is_the_published_one() -> None:
    """Miconi 2023, code: 70 neurons, in this order."""
    groups = NeuronGroups()
    assert groups.num_neurons == 70
    assert _indices(groups.stimulus) == [0, 1]
    assert _indices(groups.feedback) == [2, 3]
    assert groups.bias == 4
    assert _indices(groups.action) == [5, 6]
    assert _indices(groups.modulators) == [66, 67]
    assert _indices(groups.response) == [68, 69]
    assert groups.num_unconnected == 5
    assert groups.num_clamped == 7


@pytest.mark.parametrize(
    ("num_neurons", "num_inputs", "num_outputs"), [(70, 2, 2), (12, 2, 2), (31, 5, 3), (15, 1, 4)]
)
def test_groups_partition_the_neurons(num_neurons: int, num_inputs: int, num_outputs: int) -> None:
    groups = NeuronGroups(num_neurons=num_neurons, num_inputs=num_inputs, num_outputs=num_outputs)
    hidden = range(groups.num_clamped, groups.modulators.start)
    assert len(hidden) >= 1
    assert [
        *_indices(groups.stimulus),
        *_indices(groups.feedback),
        groups.bias,
        *_indices(groups.action),
        *hidden,
        *_indices(groups.modulators),
        *_indices(groups.response),
    ] == list(range(num_neurons))
    assert len(_indices(groups.stimulus)) == num_inputs
    assert len(_indices(groups.action)) == len(_indices(groups.response)) == num_outputs
    assert groups.interface == Interface(num_inputs=num_inputs, num_outputs=num_outputs)


def test_too_few_neurons_are_refused_with_the_smallest_number_that_fits() -> None:
    with pytest.raises(UsageError, match="use at least 12 neurons"):
        NeuronGroups(num_neurons=11)
    assert NeuronGroups(num_neurons=12).num_neurons == 12


def test_a_network_without_inputs_is_refused() -> None:
    with pytest.raises(UsageError, match="num_inputs is 0"):
        NeuronGroups(num_inputs=0)


def test_description_rebuilds_the_groups() -> None:
    groups = NeuronGroups(num_neurons=31, num_inputs=5, num_outputs=3)
    assert NeuronGroups(**groups.describe()) == groups


def test_a_task_of_other_sizes_is_refused_by_name() -> None:
    groups = NeuronGroups(num_neurons=20)
    require_fit(groups, Interface(num_inputs=2, num_outputs=2), "dms")
    with pytest.raises(UsageError, match="task 'maze' has 5 inputs and 2 outputs"):
        require_fit(groups, Interface(num_inputs=5, num_outputs=2), "maze")
