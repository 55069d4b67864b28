"""launch: files that start a run under Slurm, on Kubernetes, in a cloud, in a container."""

from __future__ import annotations

from evoplastic.cli.launch.verbs import add_verbs as add_verbs
