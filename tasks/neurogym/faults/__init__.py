"""Trials that raise: drawn again, counted, reproduced, and refused where they are not rare."""
