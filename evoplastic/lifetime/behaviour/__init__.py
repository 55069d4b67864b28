"""Behaviour of a lifetime in a few numbers: descriptors by name."""
