"""What is worth knowing of a task that can be used, but that its author may not have meant."""

from __future__ import annotations

import numpy as np

from evoplastic.trials.table import TrialTable

TWO_ANSWERS = (
    "in {share:.0%} of its trials the target action changes from one answer to another "
    "({example}); a trial is right or wrong by the action that ends it, so only the last answer is "
    "judged (reward and loss count the others)"
)
NEVER_PAYS = (
    "no action ever pays: all rewards are {value}; what is selected for or learnt from reward "
    "(fitness, rule.outcome, lifetime.feedback) has nothing to go by"
)
COSTS_ONLY = (
    "no action ever pays: the best reward of a step is {value:g}; whoever does nothing gets most"
)


def notes_on(table: TrialTable, *, consecutive: bool) -> list[str]:
    """Sentences about the trials of a task.

    Args:
        table: its trials.
        consecutive: whether the states of a trial follow one another, as they do in a bank.
    """
    found = []
    best, least = float(table.reward_VO.max()), float(table.reward_VO.min())
    if best == least:
        found.append(NEVER_PAYS.format(value=f"{best:g}"))
    elif best <= 0:
        found.append(COSTS_ONLY.format(value=best))
    if consecutive:
        answers = [_answers(table, trial) for trial in range(len(table.first_M))]
        several = [each for each in answers if len(each) > 1]
        if several:
            example = ", then ".join(map(str, several[0]))
            found.append(TWO_ANSWERS.format(share=len(several) / len(answers), example=example))
    return found


def _answers(table: TrialTable, trial: int) -> list[int]:
    """Target actions of a trial other than waiting (0 or none), each stretch once."""
    first = int(table.first_M[trial])
    stop = int(table.first_M[trial + 1]) if trial + 1 < len(table.first_M) else None
    target_T = table.target_action_V[first:stop]
    starts_T = np.flatnonzero(np.diff(target_T, prepend=-2))
    return [int(target_T[t]) for t in starts_T if target_T[t] > 0]
