"""What a lifetime is, and whole populations of them."""
