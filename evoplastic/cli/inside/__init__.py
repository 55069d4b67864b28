"""Verbs that look into networks: what happens in a lifetime, and what it needs."""
