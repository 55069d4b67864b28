"""Figures of the inside of networks, one file each; every one comes with its numbers."""
