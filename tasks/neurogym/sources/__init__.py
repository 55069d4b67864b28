"""Where the code of tasks comes from."""
