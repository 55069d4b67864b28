"""Environments that evolved in a run (POET): reading them, and how they descend."""
