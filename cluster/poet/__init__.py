"""POET: pairs of a meta-task that evolves and a genome that learns it.

Paired Open-Ended Trailblazer. Wang, Lehman, Clune and Stanley 2019 (arXiv 1901.01753); enhanced:
Wang et al. 2020 (arXiv 2003.08536).
"""
