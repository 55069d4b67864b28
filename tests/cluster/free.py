"""The smallest honest run on free-running tasks: a bank, an environment to step, one held out."""

from __future__ import annotations

from pathlib import Path

from cluster.config.run import RunConfig, load_config

ENVS = Path(__file__).resolve().parents[1] / "tasks" / "small_envs.py"
SUITE = f"""
name: small
pacing: self_paced
description: Two self-paced tasks, one of them stepped for real, and one held out.
permute: both
train:
  - {{task: "{ENVS}:Echo", name: echo}}
  - {{task: "{ENVS}:Staircase", name: stairs}}
held_out: [{{task: evoplastic/TwoStimulus-dms, name: dms, set: {{answer_ends_trial: true}}}}]
"""


def free_config(folder: Path, *overrides: str) -> RunConfig:
    """Five generations, new training trials every two of them."""
    suite = folder / "small.yaml"
    suite.write_text(SUITE)
    return load_config(
        "smoke",
        [
            f"suite={suite}",
            "num_neurons=24",
            "engine=reference",
            "tracking.enabled=false",
            "lifetime.num_trials=3",
            "lifetime.scored_trials=2",
            "lifetime.feedback=reward_prediction_error",
            "rule.outcome=reward",
            "rule.baseline=single",
            "evolution.generations=5",
            "curriculum=uniform",
            "evaluation.every=5",
            "evaluation.held_out_lifetimes=2",
            "banks.trials=8",
            "banks.refresh_every=2",
            "banks.evaluation_trials=8",
            *overrides,
        ],
    )
