"""How long the lifetimes of one generation take."""
