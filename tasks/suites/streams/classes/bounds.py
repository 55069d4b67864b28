"""What a stream of classes allows: who remembers every example, and the prototypes themselves.

The answer is the class whose mean of the examples seen so far is nearest to the pattern. It is no
bound in the strict sense, but the best there is for whoever does not know the prototypes, as they
and the noise are drawn (equal chances, the same noise at all pixels).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.suites.streams.classes.stream import ClassStream


def nearest_prototype(stream: ClassStream, num_streams: int, seed: int) -> NDArray[np.float64]:
    """Mean accuracy after each part of whoever keeps the mean of each class's examples.

    Args:
        stream: which kind.
        num_streams: over how many the mean is taken.
        seed: of the streams.
    """
    right_SR = np.zeros((num_streams, len(stream.part_ends)))
    class_K, part_K, probe_K = stream.class_K, stream.part_K, stream.probe_K
    for number in range(num_streams):
        pattern_KX = stream.draw(seed, number)[0][:, : stream.pixels]
        for part, end in enumerate(stream.part_ends):
            taught_K = ~probe_K & (part_K <= part)
            mean_CX = np.stack(
                [pattern_KX[taught_K & (class_K == each)].mean(axis=0) for each in range(end)]
            )
            asked_K = probe_K & (part_K == part)
            # the distances but for what all classes have in common
            near_QC = 2.0 * pattern_KX[asked_K] @ mean_CX.T - (mean_CX**2).sum(axis=1)
            right_SR[number, part] = (near_QC.argmax(axis=1) == class_K[asked_K]).mean()
    return right_SR.mean(axis=0)
