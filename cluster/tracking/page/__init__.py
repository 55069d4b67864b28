"""What the page of a run in a tracking store says: its name, parameters, metrics and note."""
