"""EvoTorch's algorithms as searches: theirs does the searching, this folder only adapts.

An algorithm sees a vector x of the numbers that may mutate, in units of their fields' scales, as
the distance from the first genome; whatever it remembers is a dictionary of tensors.
"""
