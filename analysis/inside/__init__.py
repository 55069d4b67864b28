"""Numbers about the inside of networks: of recordings, of evaluations, of genomes."""
