"""Tasks as combinations of factors, of which some are withheld from training."""
