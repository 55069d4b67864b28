"""How long the lifetimes of one generation take, and what a search makes of a known optimum."""
