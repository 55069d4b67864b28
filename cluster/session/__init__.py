"""One process's work on a run directory: how it begins, what it does, and how it leaves."""
