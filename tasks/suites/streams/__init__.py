"""Streams: lifetimes that are a sequence of tasks, without a cue for which one it is."""
