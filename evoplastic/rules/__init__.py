"""How connections change within a lifetime."""
