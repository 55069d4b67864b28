"""What a rule's table says at one step on the GPU, as Triton functions over tiles.

Tiles lie [sources j, targets i]. What a term multiplies is known when a kernel is compiled
(`codes.RuleCodes`), so a kernel holds a rule's multiply-adds and nothing else:

    trace' = retention * (trace + sum over credits of post[i] pre[j])
    p'     = clip(p + clip(sum over groups of u[i] v[j] C[j, i] p^{0,1} trace^{0,1}))

u[i] = M * sum of +- coefficient[i] * post[i] over the terms of a group, made once for all sources.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import triton
import triton.language as tl

from evoplastic.engines.gpu.bundles import Ends
from evoplastic.engines.gpu.every_step.codes import FACTOR_CODES
from evoplastic.engines.gpu.matrices import limit
from evoplastic.engines.gpu.numbers import MAX_CHANGE, MAX_P, real

ONE, NOISE = tl.constexpr(FACTOR_CODES["one"]), tl.constexpr(FACTOR_CODES["noise"])
SQUARED = tl.constexpr(FACTOR_CODES["rate_squared"])
CUBED = tl.constexpr(FACTOR_CODES["rate_cubed"])
CENTRED = tl.constexpr(FACTOR_CODES["centred"])
CENTRED_CUBED = tl.constexpr(FACTOR_CODES["centred_cubed"])


@triton.jit
def joined(values, value):
    """One more value behind some."""
    return values + (value,)  # noqa: RUF005 - Triton knows no unpacking


@triton.jit
def factor(code: tl.constexpr, ends):
    """What neurons contribute to a product; those that do not exist contribute 0."""
    value = ends.rate
    if code == ONE:
        value = ends.exists
    if code == NOISE:
        value = ends.xi
    if code == SQUARED:
        value = value * value
    if code == CUBED:
        value = value * value * value
    if code == CENTRED:
        value = value - ends.mean
    if code == CENTRED_CUBED:
        centred = value - ends.mean
        value = centred * centred * centred
    return value


@triton.jit
def target_factors(targets, i, of_target, gate, S: tl.constexpr):
    """u of each group at targets i; `gate` is M."""
    NUM_GROUPS: tl.constexpr = S.rule.num_groups
    factors = ()
    for g in tl.static_range(NUM_GROUPS):
        factors = joined(factors, target_factor(g, targets, i, of_target, gate, S))
    return factors


@triton.jit
def target_factor(g: tl.constexpr, targets, i, of_target, gate, S: tl.constexpr):
    """u of one group at targets i."""
    NUM_PARTS: tl.constexpr = S.rule.groups[g].num_parts
    total = targets.exists * 0.0
    for a in tl.static_range(NUM_PARTS):
        coefficient = tl.load(of_target + S.rule.groups[g].parts[a].row * S.wide + i)
        value = coefficient * factor(S.rule.groups[g].parts[a].post, targets)
        if S.rule.groups[g].parts[a].negative:
            total -= value
        else:
            total += value
    if S.rule.groups[g].modulated:
        total = total * gate
    return total


@triton.jit
def source_factor(g: tl.constexpr, sources, j, of_source, S: tl.constexpr):
    """v of one group at sources j."""
    value = factor(S.rule.groups[g].pre, sources)
    if S.rule.groups[g].of_source >= 0:
        value = value * tl.load(of_source + S.rule.groups[g].of_source * S.row + j)
    return value


@triton.jit
def credited(trace, sources, targets, retention, S: tl.constexpr):
    """The traces after a step."""
    NUM_CREDITS: tl.constexpr = S.rule.num_credits
    for n in tl.static_range(NUM_CREDITS):
        post = factor(S.rule.credits[n][0], targets)
        pre = factor(S.rule.credits[n][1], sources)
        trace = trace + pre[:, None] * post[None, :]
    return retention * trace


@triton.jit
def changed(p, trace, pairs, us, sources, j, of_source, numbers, S: tl.constexpr):
    """The plastic weights after an update, not normalised."""
    NUM_GROUPS: tl.constexpr = S.rule.num_groups
    change = tl.zeros_like(p)
    for g in tl.static_range(NUM_GROUPS):
        value = us[g][None, :]
        if S.rule.groups[g].has_source:
            value = value * source_factor(g, sources, j, of_source, S)[:, None]
        if S.rule.groups[g].of_pair >= 0:
            value = value * pairs[S.rule.groups[g].of_pair]
        if S.rule.groups[g].p:
            value = value * p
        if S.rule.groups[g].trace:
            value = value * trace
        change += value
    if S.rule.clips_change:
        change = limit(change, real(numbers, MAX_CHANGE))
    p = p + change
    if S.rule.clips_p:
        p = limit(p, real(numbers, MAX_P))
    return p


@triton.jit
def share_of_largest(largest):
    """What p is multiplied by so that its largest magnitude is 1; 1 if all is 0."""
    return 1.0 / tl.where(largest > 0.0, largest, 1.0)


@triton.jit
def advanced_mean(mean, rate, keep, rest):
    """mean' = mean_keep * mean + (1 - mean_keep) * rate."""
    return keep * mean + rest * rate


@triton.jit
def ends_of(rate, xi, mean, exists):
    """One side of some connections: its rates, its perturbations, its running means."""
    return Ends(rate, xi, mean, tl.where(exists, 1.0, 0.0))
