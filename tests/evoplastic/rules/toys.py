"""Rules that no user has: together they use every word a table can say."""

from __future__ import annotations

from typing import Any

from evoplastic.rules.table import Credit, Modulator, Rule, RuleConstants, Term, When

DEFAULTS = RuleConstants(eta=0.02, first_trial=2, quiet_trials=2, max_change=0.05)


def _rule(
    name: str,
    *change: Term,
    credits: tuple[Credit, ...] = (),
    modulator: Modulator = "none",
    when: When = "step",
    **options: Any,
) -> Rule:
    return Rule(
        name=name,
        title=name,
        source="none",
        change=change,
        credits=credits,
        modulator=modulator,
        when=when,
        defaults=DEFAULTS,
        **options,
    )


HEBB = Term(post="rate", pre="rate")
NOISY = Credit(post="noise", pre="rate")
TOYS: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        _rule("hebb", HEBB),
        _rule("hebb with decay", HEBB, Term(sign=-1, p=True)),
        _rule("oja", HEBB, Term(sign=-1, post="rate_squared", p=True)),
        _rule("abcd", HEBB, Term(post="rate"), Term(sign=-1, pre="rate"), Term(sign=-1)),
        _rule("hebb modulated by the network", HEBB, modulator="network"),
        _rule("hebb at outcomes", HEBB, when="outcome"),
        _rule("hebb modulated by the outcome", HEBB, modulator="outcome", when="outcome"),
        _rule("network at outcomes", HEBB, modulator="network", when="outcome"),
        _rule(
            "dense trace",
            Term(trace=True),
            credits=(Credit(post="rate", pre="rate"),),
            modulator="network",
        ),
        _rule(
            "two credits",
            Term(sign=-1, trace=True),
            credits=(NOISY, Credit(post="rate_cubed", pre="rate_cubed")),
            modulator="outcome",
            when="outcome",
        ),
        _rule(
            "trace at outcomes by the network",
            Term(trace=True),
            credits=(NOISY,),
            modulator="network",
            when="outcome",
        ),
        _rule(
            "fluctuations of both ends",
            Term(post="centred", pre="centred_cubed"),
            Term(post="centred_cubed", pre="centred", trace=True),
            credits=(Credit(post="centred_cubed", pre="centred"),),
            trace_first=False,
            clips_p=True,
        ),
        _rule(
            "forgetting beside a modulator",
            HEBB,
            Term(sign=-1, p=True, modulated=False),
            modulator="network",
            clips_change=False,
        ),
        _rule("normalised", HEBB, Term(), normalises=True),
        _rule("trace unmodulated", Term(trace=True), credits=(NOISY,)),
        _rule(
            "trace of both ends times the weight",
            Term(post="rate_cubed", pre="noise", p=True, trace=True),
            Term(pre="rate_squared", trace=True),
            credits=(Credit(post="noise", pre="noise"),),
        ),
        _rule(  # as node perturbation, with a gain of -eta + 2 eta
            "more than one scaled trace",
            Term(sign=-1, trace=True),
            Term(trace=True),
            Term(trace=True),
            credits=(NOISY,),
            modulator="network",
        ),
        _rule(
            "outcome with the other sign",
            Term(trace=True),
            credits=(NOISY,),
            modulator="outcome",
            when="outcome",
        ),
    )
}
