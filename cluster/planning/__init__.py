"""What can be said of a run before it starts: its size and cost, and whether it can select."""
