"""What a sweep costs, judged by a moment of its first run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evoplastic.cli import exits
from evoplastic.cli.dry_run import duration, seconds_per_generation
from evoplastic.cli.verbs import print_json, print_table

if TYPE_CHECKING:
    from cluster.config.run import RunConfig
    from cluster.sweep.plan import Plan
    from cluster.sweep.shares import Share

SHOWN = 40  # runs in a table


def show(plan: Plan, share: Share, *, as_json: bool) -> int:
    """The runs, how they share the machine, and their cost; no file is written."""
    seconds = seconds_of(plan)
    if as_json:
        print_json(
            {
                "runs": [
                    {
                        "index": run.index,
                        "name": run.name,
                        "overrides": run.overrides,
                        "config_digest": run.config.digest,
                        "seconds": each,
                    }
                    for run, each in zip(plan.runs, seconds, strict=True)
                ],
                "at_once": share.at_once,
                "threads": share.threads(len(plan.runs)),
                "seconds": sum(seconds),
            }
        )
        return exits.DONE
    rows = [
        (str(run.index), run.name, *run.texts, duration(each))
        for run, each in zip(plan.runs[:SHOWN], seconds, strict=False)
    ]
    print_table(("index", "run", *plan.keys, "alone"), rows)
    if len(plan.runs) > SHOWN:
        print(f"… and {len(plan.runs) - SHOWN} more; --json has them all")
    threads = share.threads(len(plan.runs))
    print(
        f"\n{len(plan.runs)} run{'s' * (len(plan.runs) > 1)}, "
        f"{share.at_once} at once with {threads} "
        f"thread{'s' if threads > 1 else ''} each, about {duration(sum(seconds))} in all on the "
        f"{share.cores} cores here"
    )
    return exits.DONE


def sentence(plan: Plan) -> str:
    """The cost of all runs, in words."""
    return f"about {duration(sum(seconds_of(plan)))} in all on the cores here"


def seconds_of(plan: Plan) -> list[float]:
    """Seconds of each run on all cores: the first one's pace, scaled by the work of the others."""
    from cluster.experiment import build_experiment
    from cluster.planning.dry_run import estimate
    from cluster.planning.selection import require_selection

    first = plan.runs[0].config
    experiment = build_experiment(first)
    require_selection(experiment)
    share = estimate(experiment)["run"]["evaluation_share"]
    pace = seconds_per_generation(experiment) / (1.0 - share) / _work(first)
    return [pace * _work(run.config) * run.config.evolution.generations for run in plan.runs]


def _work(config: RunConfig) -> float:
    """Proportional to the multiply-adds of a generation."""
    popsize = getattr(config.search, "popsize", None) or 1
    return float(popsize * config.lifetime.num_trials * config.num_neurons**2)
