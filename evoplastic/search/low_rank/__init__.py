"""Antithetic evolution strategy whose mutations of matrices have a low rank."""
