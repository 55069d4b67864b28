"""The schedule every_step: one kernel, compiled for the structure of a rule."""
