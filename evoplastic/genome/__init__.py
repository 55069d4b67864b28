"""What evolution changes: named fields, flat for the search."""
