"""Pictures of tasks."""
