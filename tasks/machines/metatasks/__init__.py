"""Meta-tasks: small worlds some quantities of which are drawn anew for each instance."""
