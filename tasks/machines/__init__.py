"""State machines: tasks as states, rules and variables drawn for each instance."""
