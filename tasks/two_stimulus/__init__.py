"""The two-stimulus tasks of Miconi (2023)."""
