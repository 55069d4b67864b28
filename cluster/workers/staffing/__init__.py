"""How many workers to have and what each is given, how long to wait, on what they agree."""
