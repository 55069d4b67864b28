"""Code of users, loaded with the project around it and apart from our modules of the same names."""
