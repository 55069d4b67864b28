"""What a run records, by name and by type."""
