"""Which genome was made from which, within a run and across runs."""
