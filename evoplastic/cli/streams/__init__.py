"""What verbs say of streams of tasks."""
