"""What a coefficient of a rule may be: a number of the recipe, or a field of the genome.

A field has a form: in how many numbers a genome holds what each connection j -> i is multiplied by.

    scalar      c                        one number
    target      c[i]                     one for each receiving neuron
    source      c[j]                     one for each sending neuron
    cell_types  c[type(i), type(j)]      one for each pair of K cell types
    groups      c[group(i), group(j)]  one for each pair of neuron groups
    rank_one    u[i] v[j]                two vectors (EPRNN, Wang et al. 2022)
    clustered   c[cluster(i, j)]         one for each of k rules (Pedersen & Risi 2021)
    connection  c[i, j]                  one for each connection (Najarro & Risi 2020)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal, get_args

from evoplastic.checks import SECTION, require, require_known
from evoplastic.network.neurons import GROUPS

Form = Literal[
    "scalar", "target", "source", "cell_types", "groups", "rank_one", "clustered", "connection"
]
Assignment = Literal["connection", "target_type"]

COUNTED: tuple[Form, ...] = ("cell_types", "clustered")
OF_NEURONS: tuple[Form, ...] = ("target", "source")
MOST_STREAMS = 1 << 16
SMALLEST = 1e-30  # positive number: single precision knows none below 1e-38


@dataclass(frozen=True, kw_only=True)
class Evolvable:
    """A number of a lifetime that evolution sets: a field of the genome.

    Raises:
        UsageError: a count where the form has none, or none where it has one; bounds, a scale or a
            first value out of range.
    """

    __pydantic_config__: ClassVar[dict[str, str | bool]] = SECTION

    form: Form = "scalar"
    """In how many numbers a genome holds it."""
    init: float = 0.0
    """First value; of rank_one, of its vector of targets, that of sources begins at 1."""
    init_of: dict[str, float] = field(default_factory=dict, hash=False)
    """First value of groups of neurons that begin elsewhere, {modulators: 0.01}; of the forms
    target and source."""
    spread: float = 0.0
    """Standard deviation of the first values around it; of a positive one, of their logarithm."""
    scale: float = 1.0
    """Size of a mutation, times the search's own."""
    transform: Literal["none", "positive"] = "none"
    """"positive": evolution changes the logarithm."""
    lower: float | None = None
    """Least value."""
    upper: float | None = None
    """Largest value."""
    number: int | None = None
    """K, cell types, dealt to the neurons in turn, or k, clusters; of those forms only."""
    assignment: Assignment = "connection"
    """Which cluster a connection belongs to: one drawn for it, or its target's cell type."""
    stream: int = 0
    """Stream of that draw; coefficients of one stream and number share their clusters."""

    def __post_init__(self) -> None:
        require_known("form of a coefficient", self.form, get_args(Form))
        require_known("assignment of clusters", self.assignment, get_args(Assignment))
        require_known("transform of a coefficient", self.transform, ("none", "positive"))
        if self.form in COUNTED:
            require(
                self.number is not None and self.number >= 1,
                f"number is {self.number}, but form {self.form!r} needs how many there are, 1 or "
                "more",
            )
        else:
            require(
                self.number is None,
                f"number is {self.number}, but form {self.form!r} has none; drop it, or choose one "
                f"of {', '.join(COUNTED)}",
            )
        self._check_groups()
        require(self.spread >= 0, f"spread is {self.spread}, expected 0 or more")
        require(
            math.isfinite(self.scale) and self.scale > 0,
            f"scale is {self.scale}, expected more than 0",
        )
        require(
            self.transform == "none" or self.init >= SMALLEST,
            f"init is {self.init}, but a positive coefficient begins above 0"
            + (f", at {SMALLEST} or more" if self.init > 0 else ""),
        )
        require(
            0 <= self.stream < MOST_STREAMS,
            f"stream is {self.stream}, expected 0 to {MOST_STREAMS - 1}",
        )
        lower, upper = self.lower, self.upper
        for first in (self.init, *self.init_of.values()):
            require(
                (lower is None or lower <= first) and (upper is None or first <= upper),
                f"init is {first}, expected a value within the bounds {lower} and {upper}",
            )

    def _check_groups(self) -> None:
        require(
            not self.init_of or self.form in OF_NEURONS,
            f"init_of names {', '.join(self.init_of)}, but form {self.form!r} has no number for "
            f"each neuron; drop it, or choose one of {', '.join(OF_NEURONS)}",
        )
        for group, first in self.init_of.items():
            require_known("group of neurons in init_of", group, GROUPS)
            require(
                math.isfinite(first) and (self.transform == "none" or first >= SMALLEST),
                f"init_of {group} is {first}, expected a finite number"
                + (f", {SMALLEST} or more" if self.transform == "positive" else ""),
            )


Setting = float | Evolvable
