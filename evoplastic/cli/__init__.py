"""One file for each verb of the command line; every heavy import is inside a function."""
