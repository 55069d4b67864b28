"""As many generated meta-tasks as are asked for: a function of the seed and the settings.

Candidate n is drawn from (seed, n), and what passes depends on the candidates before it alone, so
the first meta-tasks of 200 are those of 100.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from evoplastic.checks import UsageError, require
from tasks.machines.generated.distribution import draw_parts
from tasks.machines.generated.filters import REASONS, Filters, Kept, Reason

GAP = 0.1  # reward of a trial
TRIAL_STEPS, INSTANCE_TRIALS = 4, 20
TRIES = 100  # candidates for each meta-task asked for


@dataclass(frozen=True)
class Request:
    """What to generate."""

    count: int
    seed: int = 0
    gap: float = GAP  # reward of a trial that learning has to bring
    trial_steps: int = TRIAL_STEPS
    instance_trials: int = INSTANCE_TRIALS
    tries: int | None = None  # candidates at most; None = TRIES for each one asked for

    @property
    def most_tries(self) -> int:
        """Candidates at most."""
        return TRIES * self.count if self.tries is None else self.tries


class Generated(NamedTuple):
    """Meta-tasks that passed all filters, how many were drawn, and why the others fell."""

    request: Request
    kept: tuple[Kept, ...]
    drawn: int
    fell: dict[Reason, int]


def generate(
    request: Request, progress: Callable[[int, int], None] = lambda drawn, kept: None
) -> Generated:
    """Draw candidates until as many as asked for have passed.

    Args:
        request: what to generate.
        progress: told how many were drawn and kept.

    Raises:
        UsageError: fewer pass than are asked for; it says how many, and why the others fell.
    """
    found = sift(request, progress)
    if len(found.kept) < request.count:
        raise UsageError(
            f"{len(found.kept)} of {found.drawn} generated meta-tasks passed the filters, expected "
            f"{request.count}. The others: {reasons(found)}. Lower --count or --gap (it is "
            f"{request.gap:g}), or draw more with --tries {4 * found.drawn}"
        )
    return found


def sift(
    request: Request, progress: Callable[[int, int], None] = lambda drawn, kept: None
) -> Generated:
    """As `generate`, with what there is where fewer pass.

    Raises:
        UsageError: a count that is not at least 1, or a gap below 0.
    """
    for name in ("count", "trial_steps", "instance_trials", "most_tries"):
        value = getattr(request, name)
        require(value >= 1, f"{name} of generated meta-tasks is {value}, expected at least 1")
    require(request.gap >= 0, f"gap is {request.gap:g}, expected a reward of a trial, not below 0")
    filters = Filters(request.gap, request.trial_steps, request.instance_trials)
    kept: list[Kept] = []
    fell: Counter[Reason] = Counter()
    number = 0
    while len(kept) < request.count and number < request.most_tries:
        judged = filters.judge(draw_parts(request.seed, number), f"w{number}")
        if isinstance(judged, Kept):
            kept.append(judged)
        else:
            fell[judged] += 1
        number += 1
        progress(number, len(kept))
    return Generated(request, tuple(kept), number, {r: fell[r] for r in REASONS if fell[r]})


def reasons(found: Generated) -> str:
    """Why candidates fell, in words, the most frequent first."""
    often = sorted(found.fell.items(), key=lambda item: -item[1])
    return "; ".join(f"{count}: {REASONS[reason]}" for reason, count in often) or "none fell"
