"""Backpropamine: the network's own signal modulates Hebbian change, now or in retrospect."""

from __future__ import annotations

from evoplastic.rules.table import Credit, Rule, RuleConstants, Term

SOURCE = "Miconi, Rawal, Clune & Stanley 2019 (ICLR, arXiv 2002.10585)"

BACKPROPAMINE = Rule(
    name="backpropamine",
    title="Backpropamine, simple: the network gates Hebbian change",
    source=f"{SOURCE}, eq. 3",
    equations=("p' = clip(p + eta mod rate rate^T, -max_p, max_p)",),
    change=(Term(post="rate", pre="rate"),),
    modulator="network",
    clips_change=False,
    clips_p=True,
    defaults=RuleConstants(eta=1.0),
)

# Published: E' = (1 - h) E + h rate rate^T with h = dt / tau_elig = 0.01 at 20 ms. A trace here
# decays after its credits and gains them whole, so that E = trace h / (1 - h), which eta takes up.
BACKPROPAMINE_RETROACTIVE = Rule(
    name="backpropamine_retroactive",
    title="Backpropamine, retroactive: the network turns a Hebbian trace into weights",
    source=f"{SOURCE}, eqs. 4 and 5",
    equations=(
        "p'     = clip(p + eta mod elig, -max_p, max_p), with the trace before the step",
        "elig' = retention * (elig + rate rate^T)",
    ),
    change=(Term(trace=True),),
    credits=(Credit(post="rate", pre="rate"),),
    modulator="network",
    trace_first=False,
    clips_change=False,
    clips_p=True,
    defaults=RuleConstants(eta=1 / 99, tau_elig_ms=2000.0),
)
