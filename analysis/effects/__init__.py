"""What a setting does: groups of runs by a key, seeds as replicates, and tests of differences."""
