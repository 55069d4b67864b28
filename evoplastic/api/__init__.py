"""What `import evoplastic` offers to a program: load, run, evaluate, evolve.

Beside the command line the one place that sees all folders; it imports them inside functions.
"""
