"""The table of modulations; a new one is one entry here."""

from __future__ import annotations

from evoplastic.modulation.table import Channel, Modulation

OPPOSED_PAIR = Modulation(
    name="opposed_pair",
    title="One signal onto plasticity, the difference of two neurons",
    source="Miconi 2023 (ICML, PMLR 202:24756), published code",
    equations=("M = m_0 - m_1, of rules that the network modulates",),
)

SINGLE = Modulation(
    name="single",
    title="One signal onto plasticity, the rate of one neuron",
    source="Miconi, Rawal, Clune & Stanley 2019 (ICLR, arXiv 2002.10585), eq. 3",
    equations=("M = m_0, of rules that the network modulates",),
    num_neurons=1,
)

FAN_OUT = Modulation(
    name="fan_out",
    title="A vector onto plasticity: each neuron has receptors of its own",
    source="Miconi, Rawal, Clune & Stanley 2019, section 2 (fan-out of the modulatory signal)",
    equations=(
        "M_i = sum_k F_ik m_k, of rules that the network modulates",
        "M_i = F_i M, of rules that the outcome modulates",
    ),
    channels=(Channel(target="plasticity", init=1.0),),
)

GAIN = Modulation(
    name="gain",
    title="Sigmoid gates on the activity of hidden neurons, and the opposed pair onto plasticity",
    source="Beaulieu, Frati, Miconi et al. 2020 (ECAI, ANML, arXiv 2002.09571), where the gate is "
    "a sigmoid; here twice that, so that a silent modulator leaves activity as it is",
    equations=("rate_i = g_i f(x_i),  g_i = 2 sigmoid(sum_k G_ik m_k)",),
    channels=(Channel(target="gain", onto="hidden"),),
)

THRESHOLD = Modulation(
    name="threshold",
    title="Shifts of neurons' thresholds, and the opposed pair onto plasticity",
    source="Vecoven, Ernst, Wehenkel & Drion 2020 (PLoS ONE 15:e0227922), their bias w_b z",
    equations=("rate_i = f(x_i - theta_i),  theta_i = sum_k H_ik m_k",),
    channels=(Channel(target="threshold"),),
)

MODULATIONS: dict[str, Modulation] = {
    entry.name: entry for entry in (OPPOSED_PAIR, SINGLE, FAN_OUT, GAIN, THRESHOLD)
}
