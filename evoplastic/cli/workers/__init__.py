"""Options that say who does the work of a run."""
