"""tasks show | check | preview of combinations of factors."""
