"""Explicit vectors in compiled functions, and where compiled functions are kept."""
