"""A two-armed bandit as a state machine: which arm pays is drawn anew every 50 trials.

Its trials are a table like those of any other task, so networks meet it on the fast engines. What
simple policies reach is worth knowing before any network is evolved.
"""

import sys
from pathlib import Path

import numpy as np

from tasks.baselines.levels import best_fixed, chance, oracle
from tasks.machines.state_machine import ProbabilityVariable, RewardRule, StateMachine
from tasks.machines.states import machine_nodes

BANDIT = StateMachine(
    name="bandit",
    transition_SOS=np.ones((1, 2, 1)),  # one state, two actions that stay in it
    stimuli=(0,),
    code_YI=np.ones((1, 1), dtype=np.float32),
    rewards=(
        RewardRule(action=0, probability=ProbabilityVariable(0)),
        RewardRule(action=1, probability=ProbabilityVariable(0, complement=True)),
    ),
    num_steps=1,
    probability_ranges=((0.0, 1.0),),
    instance_trials=50,
)
SUITE = 'name: bandits\npacing: self_paced\ntrain: [GoNogo]\nheld_out: ["{file}:BANDIT"]\n'

if __name__ == "__main__":
    import evoplastic as ep

    small = "--small" in sys.argv
    table = machine_nodes(BANDIT, num_trials=1000, seed=0)
    for name, level in (
        ("any arm at random", chance(table)),
        ("the best arm of all", best_fixed(table)[1]),
        ("who knows the arm", oracle(table)),
    ):
        print(f"{name:<20} is paid {level.reward:.2f} a trial")
    suite = Path("bandits.yaml")
    suite.write_text(SUITE.format(file=Path(__file__).resolve()))
    done = ep.evolve(
        "yang19-laptop",
        suite=suite,
        name="bandits",
        evolution={"generations": 2 if small else 50},
        search={"popsize": 8 if small else 100},
        lifetime={"num_trials": 40 if small else 200, "scored_trials": 20, "feedback": "reward"},
        tracking={"enabled": False},
    )
    (paid,) = done.held_out.values()
    print(f"a network that never met it is paid {paid:.2f}")
