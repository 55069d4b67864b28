"""sweep: every combination of some values, as runs of their own, side by side."""
