"""What the exit codes mean; scripts and schedulers rely on them."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
USAGE: Final = 2  # something on the command line or in a file does not fit
ENVIRONMENT: Final = 3  # the machine, the cluster or the disk does not play along
PREEMPTED: Final = 75  # stopped from outside, whole on disk: resume me
INTERRUPTED: Final = 130
