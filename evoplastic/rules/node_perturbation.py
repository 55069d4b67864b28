"""Node perturbation: neurons are shaken, and what followed from it is credited (Miconi 2023)."""

from __future__ import annotations

from evoplastic.rules.table import Credit, Rule, RuleConstants, Term

NODE_PERTURBATION = Rule(
    name="node_perturbation",
    title="Node perturbation, gated by the outcome",
    source="Miconi 2023 (ICML, PMLR 202:24756), section 2.3; factor b of Miconi 2017 (eLife)",
    equations=(
        "elig' = retention * (elig + xi rate^T)",
        "p'    = p + clip(-eta * elig * b * (L - b), -max_change, max_change), once per trial",
    ),
    credits=(Credit(post="noise", pre="rate"),),
    change=(Term(coefficient="eta", sign=-1, trace=True),),
    modulator="outcome",
    when="outcome",
    defaults=RuleConstants(eta=0.03, first_trial=31, quiet_trials=19),
)

NODE_PERTURBATION_NETWORK = Rule(
    name="node_perturbation_network",
    title="Node perturbation, gated by the network's own modulatory neurons",
    source="Miconi 2023, published code, flagged there as untested",
    equations=(
        "elig' = retention * (elig + xi rate^T)",
        "p'    = p + clip(eta * elig * mod, -max_change, max_change), at every gated step",
    ),
    credits=(Credit(post="noise", pre="rate"),),
    change=(Term(coefficient="eta", trace=True),),
    modulator="network",
    when="step",
    defaults=RuleConstants(eta=3e-4, first_trial=11, quiet_trials=0),
)
