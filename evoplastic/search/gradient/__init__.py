"""Gradient through the lifetime: what the genome would have to be for a lifetime to go better."""
