"""Random numbers as functions of their address, the same on every engine."""
