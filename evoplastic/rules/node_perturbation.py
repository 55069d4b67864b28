"""Node perturbation: neurons are shaken, and what followed from it is credited (Miconi 2023)."""

from __future__ import annotations

from evoplastic.rules.coefficients import Evolvable
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
    change=(Term(sign=-1, trace=True),),
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
    change=(Term(trace=True),),
    modulator="network",
    when="step",
    defaults=RuleConstants(eta=3e-4, first_trial=11, quiet_trials=0),
)

NODE_PERTURBATION_CRITIC = Rule(
    name="node_perturbation_critic",
    title="Node perturbation, gated by a modulatory neuron that learns what to expect",
    source="node perturbation as above; what M has in common with activity is unlearnt as by the "
    "adaptive critic of Barto, Sutton & Anderson 1983 (IEEE SMC 13:834)",
    equations=(
        "elig' = retention * (elig + xi rate^T)",
        "p'    = p + clip(mod * (eta * elig - critic rate^T), -max_change, max_change), "
        "at every gated step",
        "critic is positive onto the modulatory neuron and begins at 0 onto all others",
    ),
    credits=(Credit(post="noise", pre="rate"),),
    change=(Term(trace=True), Term(coefficients=("critic",), sign=-1, pre="rate")),
    modulator="network",
    when="step",
    coefficients={
        "critic": Evolvable(form="target", init_of={"modulators": 0.001}, scale=0.001),
    },
    defaults=RuleConstants(eta=3e-3, first_trial=11, quiet_trials=19),
)

CUBED_FLUCTUATIONS = Rule(
    name="cubed_fluctuations",
    title="Cubed fluctuations of activity as eligibility, gated by the outcome",
    source="Miconi 2017 (eLife 6:e20899), eqs. 2 and 3, constants of its code; there the trace "
    "begins anew at each trial and the fluctuation is that of the activation, here of the rate",
    equations=(
        "elig' = retention * (elig + ((rate - mean) rate^T)^3)",
        "mean' = mean_keep * mean + (1 - mean_keep) * rate",
        "p'    = p + clip(-eta * elig * b * (L - b), -max_change, max_change), once per trial",
    ),
    credits=(Credit(post="centred_cubed", pre="rate_cubed"),),
    change=(Term(sign=-1, trace=True),),
    modulator="outcome",
    when="outcome",
    defaults=RuleConstants(eta=0.1, first_trial=101, max_change=3e-4, mean_keep=0.05),
)

WEIGHT_DECAY = Rule(
    name="weight_decay",
    title="Node perturbation gated by the outcome, and forgetting at each outcome",
    source="Miconi 2023, section 2.3; decay of Krogh & Hertz 1992 (NIPS 4), eq. 2",
    equations=(
        "elig' = retention * (elig + xi rate^T)",
        "p'    = p + clip(-eta * elig * b * (L - b) - decay * p, -max_change, max_change)",
    ),
    credits=(Credit(post="noise", pre="rate"),),
    change=(
        Term(sign=-1, trace=True),
        Term(coefficients=("decay",), sign=-1, p=True, modulated=False),
    ),
    modulator="outcome",
    when="outcome",
    coefficients={"decay": 0.001},
    defaults=RuleConstants(eta=0.03, first_trial=31, quiet_trials=19),
)
