"""Ray workers that do the work of a run."""
