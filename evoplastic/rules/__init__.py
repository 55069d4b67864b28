"""How connections change within a lifetime: one entry a rule, all of it in `RULES`."""
