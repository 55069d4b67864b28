"""What verbs that run for long have in common."""
