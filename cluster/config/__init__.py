"""The configuration of a run, checked as a whole."""
