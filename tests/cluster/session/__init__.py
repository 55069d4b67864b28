"""Sessions: how a process begins with a run, works on it, and leaves it."""
