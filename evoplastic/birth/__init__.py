"""Where the weights of a newborn come from: the genome, or draws from statistics it holds."""
