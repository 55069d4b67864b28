"""Compiled lifetimes looked into and acted upon, between two calls of a kernel."""
