"""Trials as tables, and the worlds in which they are met."""
