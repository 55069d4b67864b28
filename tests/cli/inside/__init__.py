"""Verbs that run for long: how they are stopped, watched and gone on with."""
