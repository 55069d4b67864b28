"""Batch files on a real Slurm of two nodes, both on this machine; run by `make test-slurm`."""
