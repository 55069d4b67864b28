"""Many runs of one recipe: every combination of the values of some keys, told apart by name."""
