"""Meta-tasks drawn at random, and the filters that a drawn one has to pass."""
