"""Verbs that look into a store of records."""
