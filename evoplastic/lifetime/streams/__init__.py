"""Lifetimes that are streams: what is measured of them, and what evolution selects for."""
