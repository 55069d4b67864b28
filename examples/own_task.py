"""A task of your own, held out from evolution: NeuroGym's own kind of class, in any file.

Two lights, one after the other. In training the network answers what it saw first, or second; never
in evolution does it meet the question whether both were the same.
"""

import sys
from pathlib import Path

from neurogym.core import TrialEnv
from neurogym.utils import spaces

SUITE = """
name: lights
pacing: self_paced
train:
  - {{task: "{file}:Lights", name: first, set: {{question: first}}}}
  - {{task: "{file}:Lights", name: second, set: {{question: second}}}}
held_out:
  - {{task: "{file}:Lights", name: same, set: {{question: same}}}}
"""


class Lights(TrialEnv):
    """Left or right, twice; `question` says what is asked for."""

    def __init__(self, dt=20, question="same"):
        super().__init__(dt=dt)
        self.question, self.timing = question, {"first": 60, "second": 60, "answer": 60}
        self.observation_space = spaces.Box(0, 1, shape=(3,))
        self.action_space = spaces.Discrete(3)

    def _new_trial(self, **settings):
        first, second = self.rng.randint(2, size=2)
        self.add_period(list(self.timing))
        self.add_ob(1, ["first", "second"], where=0)
        self.add_ob(1, "first", where=1 + first)
        self.add_ob(1, "second", where=1 + second)
        right = {"first": first, "second": second, "same": first == second}[self.question]
        self.set_groundtruth(1 + int(right), "answer")
        return {"first": first, "second": second}

    def _step(self, action):
        answered, right = self.in_period("answer") and action != 0, action == self.gt_now
        return self.ob_now, float(answered and right), False, False, {"new_trial": answered}


if __name__ == "__main__":
    import evoplastic as ep

    small = "--small" in sys.argv
    suite = Path("lights.yaml")
    suite.write_text(SUITE.format(file=Path(__file__).resolve()))
    done = ep.evolve(
        "yang19-laptop",
        suite=suite,
        name="lights",
        evolution={"generations": 2 if small else 200},
        search={"popsize": 8 if small else 300},
        lifetime={"num_trials": 40 if small else 200, "scored_trials": 20},
        tracking={"enabled": False},
    )
    for task, score in done.scores.items():
        print(f"{task:<7} {score['role']:<9} {score['accuracy_mean']:.1%} correct")
