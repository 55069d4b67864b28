"""Which training task each group of a generation meets."""
