"""The ABCD rule: a general Hebbian polynomial, whose coefficients evolution sets.

    dp[i, j] = eta (A rate[i] rate[j] + B rate[j] + C rate[i] + D)

with j the source and i the target. Entries differ in how many numbers the coefficients are.
"""

from __future__ import annotations

from dataclasses import replace

from evoplastic.rules.coefficients import Evolvable
from evoplastic.rules.table import Rule, RuleConstants, Term

EQUATION = "p'[i, j] = p[i, j] + eta (A rate[i] rate[j] + B rate[j] + C rate[i] + D)"
NORMALISED = "p'     = p' / max |p'|"
NAMES = ("A", "B", "C", "D")
TERMS = (
    Term(coefficients=("eta", "A"), post="rate", pre="rate"),
    Term(coefficients=("eta", "B"), pre="rate"),
    Term(coefficients=("eta", "C"), post="rate"),
    Term(coefficients=("eta", "D")),
)
CONNECTION = Evolvable(form="connection", spread=0.1)
RANK_ONE = Evolvable(form="rank_one", spread=0.01)
CLUSTERED = Evolvable(form="clustered", number=64, spread=0.1)

ABCD = Rule(
    name="abcd",
    title="ABCD, coefficients of each connection, one learning rate",
    source="Najarro & Risi 2020 (NeurIPS, arXiv 2007.02686), eq. 1 and its variant without eta",
    equations=(EQUATION, NORMALISED),
    change=TERMS,
    clips_change=False,
    normalises=True,
    coefficients=dict.fromkeys(NAMES, CONNECTION),
    defaults=RuleConstants(eta=1.0),
)

ABCD_RATES = replace(
    ABCD,
    name="abcd_rates",
    title="ABCD, coefficients and learning rate of each connection",
    source="Najarro & Risi 2020 (NeurIPS, arXiv 2007.02686), eq. 1",
    coefficients={**dict.fromkeys(NAMES, CONNECTION), "eta": replace(CONNECTION, init=1.0)},
)

ABCD_RANK_ONE = replace(
    ABCD,
    name="abcd_rank_one",
    title="ABCD decomposed: coefficients of rank one, kept within max_p",
    source="Wang et al. 2022 (EPRNN, TMLR, arXiv 2109.03554); the bound on p is ours, its "
    "lifetimes are short",
    equations=(EQUATION, "A, B, C, D = u v^T each", "|p| <= max_p"),
    normalises=False,
    clips_p=True,
    coefficients=dict.fromkeys(NAMES, RANK_ONE),
    defaults=RuleConstants(eta=0.2),
)

ABCD_CLUSTERED = replace(
    ABCD,
    name="abcd_clustered",
    title="ABCD with as many rules as there are clusters of connections",
    source="Pedersen & Risi 2021 (GECCO, arXiv 2104.07959); clusters are drawn once, not merged",
    equations=(EQUATION, NORMALISED, "A, B, C, D, eta of the cluster of [i, j]"),
    coefficients={**dict.fromkeys(NAMES, CLUSTERED), "eta": replace(CLUSTERED, init=1.0)},
)
