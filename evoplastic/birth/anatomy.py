"""What is wired at all: connections that no genome has, and wires that all have.

    w[i, j] = alpha[i, j] = 0                where group(j) does not reach group(i)
    alpha[i, j] = 0                          where group(i) is not plastic, or the pair is fixed
    w[response o, label o] = label_gain      label o = stimulus line I - O + o; alpha 0 there,
                                             and w and alpha 0 from label lines onto all others
    w[response o, bias] = ... - label_gain / 2

A label is given while a class is taught, and drives the neuron that has to answer, so that a
Hebbian rule binds what else is active to it: as in the Omniglot networks of Miconi, Stanley &
Clune 2018 (ICML, arXiv 1804.02464), whose code adds 1000 times the label to the activations of the
output neurons.
"""

from __future__ import annotations

import torch
from torch import Tensor

from evoplastic.birth.config import INNATE_GROUPS, BirthConfig
from evoplastic.birth.fields import rows
from evoplastic.checks import require
from evoplastic.network.neurons import NeuronGroups
from evoplastic.trials.wiring import WiringConfig


def require_label_lines(
    birth: BirthConfig, groups: NeuronGroups, wiring: WiringConfig | None
) -> None:
    """Refuse label lines that are not there, or do not stay what they are.

    Raises:
        UsageError: fewer stimulus lines than answers and a pattern need; lines that are exchanged
            anew in each lifetime, or that are rule cues.
    """
    if birth.label_gain == 0:
        return
    said = f"birth.label_gain is {birth.label_gain}, so that the last {groups.num_outputs} "
    require(
        groups.num_inputs > groups.num_outputs,
        f"{said}stimulus lines are the labels of as many answers, but there are "
        f"{groups.num_inputs} stimulus lines; expected more, use tasks that show labels, or set "
        "label_gain to 0",
    )
    require(
        wiring is None or (wiring.permute == "none" and wiring.cue_lines == 0),
        f"{said}stimulus lines are labels, but the suite exchanges lines or has rule cues on the "
        "last ones; expected permute: none and rule_cue: false, or set label_gain to 0",
    )


def wired(
    w_PNN: Tensor, alpha_PNN: Tensor, birth: BirthConfig, groups: NeuronGroups
) -> tuple[Tensor, Tensor]:
    """Weights and plasticity coefficients with the anatomy of a configuration; new tensors.

    Args:
        w_PNN: weights of newborns.
        alpha_PNN: plasticity coefficients.
        birth: what is wired.
        groups: which neuron does what.
    """
    there_NN = torch.ones(w_PNN.shape[1:], dtype=torch.bool, device=w_PNN.device)
    for sender, target in birth.without:
        there_NN[groups.rows_of(target), groups.rows_of(sender)] = False
    labels = slice(groups.num_inputs - groups.num_outputs, groups.num_inputs)
    if birth.label_gain:
        there_NN[:, labels] = False
    innate = tuple(group for group in INNATE_GROUPS if group not in birth.plastic)
    plastic_NN = there_NN & ~rows(innate, groups).to(w_PNN.device)
    for sender, target in birth.fixed:
        plastic_NN[groups.rows_of(target), groups.rows_of(sender)] = False
    w_PNN, alpha_PNN = w_PNN * there_NN, alpha_PNN * plastic_NN
    if birth.label_gain:
        wires_OO = birth.label_gain * torch.eye(groups.num_outputs, device=w_PNN.device)
        w_PNN[:, groups.response, labels] = wires_OO.to(w_PNN.dtype)
        w_PNN[:, groups.response, groups.bias] -= 0.5 * birth.label_gain
    return w_PNN, alpha_PNN
