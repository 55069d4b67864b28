"""How alike a network's activity is to recorded activity: measures, files, a term of fitness."""
