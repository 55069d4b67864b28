"""How evolution proposes genomes and moves on. EvoTorch is imported lazily."""
