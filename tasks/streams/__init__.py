"""Streams: one lifetime that is a sequence of tasks, or of classes, without a cue."""
