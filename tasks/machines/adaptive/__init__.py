"""What can be reached by finding out, within an instance, what its variables are."""
