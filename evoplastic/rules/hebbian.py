"""Hebbian rules without a modulator: what fires together grows, within bounds of its own making."""

from __future__ import annotations

from evoplastic.rules.table import Rule, RuleConstants, Term

TOGETHER = Term(post="rate", pre="rate")

HEBB = Rule(
    name="hebb",
    title="Hebb's rule with decay",
    source="Miconi, Stanley & Clune 2018 (ICML, arXiv 1804.02464), eq. 2: decay = eta",
    equations=("p' = p + eta rate rate^T - decay p",),
    change=(TOGETHER, Term(coefficients=("decay",), sign=-1, p=True)),
    clips_change=False,
    coefficients={"decay": 0.01},
    defaults=RuleConstants(eta=0.01),
)

OJA = Rule(
    name="oja",
    title="Oja's rule: Hebb's with a decay that keeps the weights of a neuron normal",
    source="Oja 1982 (J. Math. Biol. 15:267), eq. 3; Miconi, Stanley & Clune 2018, eq. 3",
    equations=("p'[i, j] = p[i, j] + eta rate[i] (rate[j] - rate[i] p[i, j])",),
    change=(TOGETHER, Term(sign=-1, post="rate_squared", p=True)),
    clips_change=False,
    defaults=RuleConstants(eta=0.01),
)
