"""tasks generate."""
