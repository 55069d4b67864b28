"""Files that start a run elsewhere: under Slurm, on Kubernetes, in a cloud, in a container.

Each is a template beside this file, filled in with a run and with the machine that it asks for. All
of them run the same command, `evolve RECIPE --run-dir D --continue`, which can be run again: it
starts the run, goes on with it, or finds it done.
"""
