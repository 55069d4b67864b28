"""The CPU engine: lifetimes compiled with Numba and explicit vectors."""
