"""Classes that nobody has seen: random prototype patterns, and noisy examples of them.

    prototype[c, i] = +1 or -1, with equal chances          c a class, i a pixel
    example[i] = prototype[c, i], turned over with the chance `noise`

Every stream draws prototypes of its own, so a class occurs in one stream alone. The patterns stand
in for the characters of Omniglot in the streams of OML (Javed & White 2019, arXiv 1905.12588) and
ANML (Beaulieu et al. 2020, arXiv 2002.09571): many classes, few examples of each.
"""

from __future__ import annotations

import numpy as np

from evoplastic.types import Float32Array, Int64Array


def draw_prototypes(rng: np.random.Generator, num_classes: int, pixels: int) -> Float32Array:
    """Prototypes [C, pixels] of +1 and -1."""
    return (2.0 * rng.integers(2, size=(num_classes, pixels)) - 1.0).astype(np.float32)


def draw_examples(
    rng: np.random.Generator, prototype_CX: Float32Array, class_M: Int64Array, noise: float
) -> Float32Array:
    """One new example [M, pixels] of each of these classes."""
    turned_MX = rng.random((len(class_M), prototype_CX.shape[1])) < noise
    return np.where(turned_MX, -prototype_CX[class_M], prototype_CX[class_M])
