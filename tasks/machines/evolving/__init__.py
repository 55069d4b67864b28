"""Meta-tasks that change: mutations, what a mutant has to pass, and when two are the same."""
