"""Runs that hold out different tasks of one suite: how each is acquired unseen, in one matrix."""
