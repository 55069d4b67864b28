"""Dotted keys by as few parts as tell them apart."""

from __future__ import annotations

from collections.abc import Sequence


def short_keys(keys: Sequence[str]) -> list[str]:
    """Each key by its last part, or by as many parts as tell it from the others.

    >>> short_keys(["seed", "search.sigma", "rule.eta", "genome.eta"])
    ['seed', 'sigma', 'rule.eta', 'genome.eta']
    """
    names = []
    for key in keys:
        parts = key.split(".")
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[-count:])
            others = (".".join(other.split(".")[-count:]) for other in keys if other != key)
            if name not in others:
                break
        names.append(name)
    return names
