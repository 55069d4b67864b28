"""The definition: lifetimes in plain PyTorch, written to be read."""
