"""Fan-outs in a genome: how many, where they begin, whom they reach; and reflexes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from evoplastic.checks import UsageError
from evoplastic.genome.catalogue import PUBLISHED, W
from evoplastic.genome.config import GenomeConfig
from evoplastic.genome.genome import Genome
from evoplastic.genome.layout import Layout
from evoplastic.modulation.catalogue import MODULATIONS
from evoplastic.modulation.config import ModulationConfig
from evoplastic.modulation.fields import decode, modulation_fields
from evoplastic.modulation.table import Channel
from evoplastic.network.dynamics import modulatory_signal
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.catalogue import RULES
from evoplastic.rules.table import Rule
from evoplastic.storage import read_tensors, write_tensors

GROUPS = NeuronGroups(num_neurons=20, num_modulators=3)
NETWORK, OUTCOME = RULES["node_perturbation_network"], RULES["node_perturbation"]


def modulation(*channels: Channel, num_neurons: int = 3) -> ModulationConfig:
    return ModulationConfig(name="mine", channels=channels, num_neurons=num_neurons)


def begun(rule: Rule, *channels: Channel) -> dict[str, torch.Tensor]:
    fields = modulation_fields(modulation(*channels), rule)
    return {field.name: field.init(GROUPS, 1, GenomeConfig()) for field in fields}


@pytest.mark.parametrize("rule", [NETWORK, OUTCOME], ids=["network", "outcome"])
@pytest.mark.parametrize("name", MODULATIONS)
def test_a_genome_has_a_fan_out_for_each_channel(name: str, rule: Rule) -> None:
    chosen = ModulationConfig(name=name)
    groups = NeuronGroups(num_modulators=chosen.table.num_neurons)
    layout = Layout(groups, (*PUBLISHED, *modulation_fields(chosen, rule)))
    expected = 0
    for channel in MODULATIONS[name].channels:
        if channel.scope == "all":
            continue
        alone = channel.target == "plasticity" and rule.modulator == "outcome"
        expected += 70 if alone else 70 * groups.num_modulators
    assert layout.size == 2 * 70 * 70 + expected


def test_a_fan_out_onto_plasticity_begins_as_the_signal_itself() -> None:
    fan_out_NK = begun(NETWORK, Channel(target="plasticity", init=1.0))["modulation.plasticity"]
    rate_PN = torch.randn(2, 20)
    reaching_PN = rate_PN[:, GROUPS.modulators] @ fan_out_NK.T
    for i in range(GROUPS.num_clamped, 20):
        torch.testing.assert_close(reaching_PN[:, i], modulatory_signal(rate_PN, GROUPS))


def test_hidden_neurons_alone_are_reached_where_asked_for() -> None:
    channel = Channel(target="gain", onto="hidden", spread=1.0)
    fan_out_NK = begun(NETWORK, channel)["modulation.gain"]
    reached_N = (fan_out_NK != 0).all(1)
    assert reached_N.tolist() == [GROUPS.num_clamped <= i < 15 for i in range(20)]
    field = modulation_fields(modulation(channel), NETWORK)[0]
    assert torch.equal(field.mask(GROUPS).all(1), reached_N)


def test_one_signal_for_all_takes_no_gene() -> None:
    channel = Channel(target="threshold", scope="all", strength=0.5)
    assert begun(NETWORK, channel) == {}
    values = {"w": torch.zeros(4, 20, 20)}
    decoded = decode(modulation(channel), NETWORK, GROUPS, values)
    assert decoded.threshold_PNK is not None
    assert decoded.threshold_PNK.shape == (4, 20, 3)
    assert decoded.threshold_PNK[3, 10].tolist() == [0.5, -0.5, 0.5]
    assert decoded.gain_PNK is None


def test_a_genome_file_brings_its_fan_outs_back(tmp_path: Path) -> None:
    chosen = modulation(Channel(target="gain", spread=0.3), Channel(target="plasticity"))
    layout = Layout(GROUPS, (*PUBLISHED, *modulation_fields(chosen, NETWORK)))
    genome = Genome.random(layout, 3, GenomeConfig())
    genome.save(tmp_path / "g.safetensors")
    read = Genome.load(tmp_path / "g.safetensors")
    assert (read.digest, read.groups) == (genome.digest, GROUPS)
    assert list(read.values) == ["w", "alpha", "modulation.gain", "modulation.plasticity"]
    assert torch.equal(read.values["modulation.gain"], genome.values["modulation.gain"])


def test_a_fan_out_of_another_shape_is_refused(tmp_path: Path) -> None:
    chosen = modulation(Channel(target="gain"))
    layout = Layout(GROUPS, (*PUBLISHED, *modulation_fields(chosen, NETWORK)))
    path = tmp_path / "g.safetensors"
    Genome.random(layout, 3, GenomeConfig()).save(path)
    tensors, header = read_tensors(path, ("evoplastic/genome/2",), "genome")
    tensors["modulation.gain"] = torch.zeros(20, 2)
    write_tensors(path, tensors, header)
    with pytest.raises(
        UsageError, match=r"'modulation.gain' has shape \(20, 2\), expected \(20, 3\)"
    ):
        Genome.load(path)


def test_published_genomes_keep_their_header_and_their_digest() -> None:
    assert "num_modulators" not in NeuronGroups().describe()
    assert NeuronGroups(**GROUPS.describe()) == GROUPS


def test_a_reflex_wires_feedback_onto_modulators_and_nothing_else() -> None:
    groups = NeuronGroups()
    plain = W.init(groups, 1, GenomeConfig())
    wired = W.init(groups, 1, GenomeConfig(reflex=0.7))
    corner = wired[groups.modulators, groups.feedback]
    torch.testing.assert_close(corner, torch.tensor([[0.7, -0.7], [-0.7, 0.7]]))
    wired[groups.modulators, groups.feedback] = 0.0
    assert torch.equal(wired, plain)
    with pytest.raises(UsageError, match="reflex is inf"):
        GenomeConfig(reflex=float("inf"))


def test_a_reflex_moves_the_signal_with_opposed_feedback() -> None:
    w_NN = W.init(GROUPS, 1, GenomeConfig(reflex=0.5))
    feedback = torch.tensor([2.0, -2.0])
    x_K = w_NN[GROUPS.modulators, GROUPS.feedback] @ feedback
    rate_PN = torch.zeros(1, 20)
    rate_PN[0, GROUPS.modulators] = torch.tanh(x_K)
    assert float(modulatory_signal(rate_PN, GROUPS)) == pytest.approx(3 * 0.9640, abs=1e-3)
