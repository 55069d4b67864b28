"""A rule's structure as kernels are compiled for it: small whole numbers in named tuples.

Needs no Triton.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from evoplastic.engines.structure import Compiled, Structure, compile_rule
from evoplastic.network.neurons import NeuronGroups
from evoplastic.rules.config import RuleConfig
from evoplastic.rules.decoding import decode
from evoplastic.rules.fields import rule_fields
from evoplastic.rules.table import FACTORS, Rule

FACTOR_CODES: dict[str, int] = {factor: code for code, factor in enumerate(FACTORS)}
MODULATOR_CODES = {"none": 0, "outcome": 1, "network": 2}


class PartCode(NamedTuple):
    """A term but for what its group says: +- coefficient[i] * post[i]."""

    negative: bool
    post: int
    row: int  # of `bundles.Coefficients.of_target`


class GroupCode(NamedTuple):
    """Terms of a change that share everything but the target factor."""

    parts: tuple[PartCode, ...]
    num_parts: int
    pre: int
    of_source: int  # row of `bundles.Coefficients.of_source`; -1 = 1
    of_pair: int  # number of the matrix of coefficients; -1 = 1
    p: bool
    trace: bool
    modulated: bool
    has_source: bool  # whether it is multiplied by what sources contribute, be it that they exist


class RuleCodes(NamedTuple):
    """All that the kernel of the schedule every_step is compiled for about a rule."""

    groups: tuple[GroupCode, ...] = ()
    num_groups: int = 0
    credits: tuple[tuple[int, int], ...] = ()  # (post, pre) products that the trace gains
    num_credits: int = 0
    num_target: int = 0
    num_source: int = 0
    num_pair: int = 0
    trace_first: bool = True
    clips_change: bool = False
    clips_p: bool = False
    normalises: bool = False
    centres: bool = False
    noisy_sources: bool = False  # whether some factor is the noise of a source
    modulator: int = 0
    at_steps: bool = False  # whether weights change at steps, else at outcomes


NO_CODES = RuleCodes()


def compiled(rule: RuleConfig) -> Compiled:
    """The structure of a rule, from its terms and from the coefficients of no individuals."""
    groups = NeuronGroups()  # its size decides nothing
    nobody = {
        field.name: torch.empty((0, *field.sizes(groups)), dtype=torch.float32)
        for field in rule_fields(rule)
    }
    return compile_rule(rule.table, decode(rule, groups, nobody).coefficients)


def rule_codes(rule: RuleConfig) -> RuleCodes:
    """What the kernel is compiled for."""
    table, (structure, of_target, of_source, of_pair) = rule.table, compiled(rule)
    return RuleCodes(
        groups=_groups(structure, modulated=table.modulator != "none"),
        num_groups=len(structure.groups),
        credits=tuple((FACTOR_CODES[post], FACTOR_CODES[pre]) for post, pre in structure.credits),
        num_credits=len(structure.credits),
        num_target=len(of_target),
        num_source=len(of_source),
        num_pair=len(of_pair),
        trace_first=structure.trace_first,
        clips_change=structure.clips_change,
        clips_p=structure.clips_p,
        normalises=structure.normalises,
        centres=table.centres,
        noisy_sources=_hears_noise_of_sources(table),
        modulator=MODULATOR_CODES[table.modulator],
        at_steps=table.when == "step",
    )


def matrices_of(rule: RuleConfig) -> int:
    """How many matrices a step of the rule goes through: w, alpha, p, trace, coefficients."""
    structure, _, _, of_pair = compiled(rule)
    return 3 + bool(structure.credits) + len(of_pair)


def _groups(structure: Structure, *, modulated: bool) -> tuple[GroupCode, ...]:
    groups = []
    for group in structure.groups:
        parts = tuple(
            PartCode(part.sign < 0, FACTOR_CODES[part.post], part.coefficient)
            for part in group.parts
        )
        # A product of nothing that a source, p or a trace has would grow where there is no source.
        bounded = group.of_pair >= 0 or group.p or group.trace
        groups.append(
            GroupCode(
                parts=parts,
                num_parts=len(parts),
                pre=FACTOR_CODES[group.pre],
                of_source=group.of_source,
                of_pair=group.of_pair,
                p=group.p,
                trace=group.trace,
                modulated=group.modulated and modulated,
                has_source=group.pre != "one" or group.of_source >= 0 or not bounded,
            )
        )
    return tuple(groups)


def _hears_noise_of_sources(table: Rule) -> bool:
    return any(part.pre == "noise" for part in table.parts)
