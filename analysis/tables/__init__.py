"""Tables of recorded runs."""
