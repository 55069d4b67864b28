"""Why a task cannot become a bank of trials, in one place."""

from __future__ import annotations

from dataclasses import dataclass

from evoplastic.checks import UsageError

# reason -> whether the task could still be met by stepping its environment
REASONS = {
    "cannot be made": False,
    "actions": False,
    "observations": False,
    "no timing": False,
    "no steps": False,
    "endless": False,
    "raises": False,
    "not finite": False,
    "size changes": False,
    "ends the episode": False,
    "observation depends on action": True,
    "observation depends on history": True,
    "reward is random": True,
    "reward depends on history": True,
    "keeps state": True,
    "next trial depends on action": True,
    "ground truth": True,
    "not reproducible": True,
}


@dataclass(frozen=True)
class Refusal:
    """One reason, in the words of `REASONS`, and what was seen."""

    reason: str
    task: str
    detail: str

    @property
    def can_be_stepped(self) -> bool:
        """Whether only the bank is out of reach, not the task."""
        return REASONS[self.reason]

    def __str__(self) -> str:
        what = "become a trial bank" if self.can_be_stepped else "be used"
        return f"task {self.task!r} cannot {what} ({self.reason}): {self.detail}"


def refuse(reason: str, task: str, detail: str) -> Refusal:
    """A refusal whose reason is one of `REASONS`."""
    assert reason in REASONS, reason
    return Refusal(reason, task, detail)


class Unbankable(UsageError):
    """A task that does not fit into a bank of trials."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
