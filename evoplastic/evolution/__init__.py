"""Evolution strategies over lifetimes. EvoTorch takes the optimizer's step; imported lazily."""
