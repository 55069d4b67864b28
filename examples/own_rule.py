"""A plasticity rule of your own: a table of terms, evolved like any other.

Hebbian growth with presynaptic forgetting, p' = p + M (eta post pre - decay pre^2 p), gated at
each step by the network's own modulatory neurons. An engine needs nothing else to run it.
"""

import sys

import evoplastic as ep
from evoplastic.rules.table import Rule, RuleConstants, Term

RULE = Rule(
    name="presynaptic_forgetting",
    title="Hebbian growth, forgetting where the source is active",
    source="this example",
    equations=("p' = clip(p + mod * (eta post pre - decay pre^2 p), -max_p, max_p)",),
    change=(
        Term(post="rate", pre="rate"),
        Term(coefficients=("decay",), sign=-1, pre="rate_squared", p=True),
    ),
    modulator="network",
    when="step",
    coefficients={"decay": 0.01},
    clips_change=False,
    clips_p=True,
    defaults=RuleConstants(eta=0.01, first_trial=1, quiet_trials=0, max_p=1.0),
)

if __name__ == "__main__":
    small = "--small" in sys.argv
    done = ep.evolve(
        "smoke" if small else "laptop",
        rule=f"{__file__}:RULE",  # written into the configuration: the run needs this file no more
        engine="reference" if small else "auto",  # to compile takes longer than so few lifetimes
        evolution={"generations": 2 if small else 100},
        tracking={"enabled": False},
    )
    print(f"{done.run_dir}: {done.outcome.generation} generations of {RULE.title.lower()}")
    for task, accuracy in done.held_out.items():
        print(f"  {task}: {accuracy:.1%} correct at the end of a lifetime")
