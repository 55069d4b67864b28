"""What policies that learn nothing reach."""
