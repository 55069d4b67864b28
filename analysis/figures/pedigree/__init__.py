"""Figures of the pedigree of a population: the champion's ancestry, founders, distances."""
