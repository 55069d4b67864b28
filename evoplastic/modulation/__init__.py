"""What modulatory neurons and outcomes act on: plasticity, the gain of activity, thresholds."""
