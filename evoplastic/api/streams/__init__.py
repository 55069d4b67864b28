"""Streams of tasks, from Python and the command line."""
