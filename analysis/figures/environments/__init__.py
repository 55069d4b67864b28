"""Figures of environments that evolved."""
