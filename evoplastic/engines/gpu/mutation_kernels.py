"""Normal numbers and mutations as Triton kernels, equal to `random.counters` bit for bit.

Float64 as written there: sums, products, quotients and square roots are rounded one by one, which
is why they must be launched with `enable_fp_fusion=False`.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# Triton's arguments are pointers and blocks; only compile-time constants carry annotations.
from __future__ import annotations

import math
from typing import NamedTuple

import triton
import triton.language as tl

from evoplastic.engines.gpu.numbers import unsigned
from evoplastic.engines.gpu.perturbation import philox
from evoplastic.random.counters import ERFINV_CENTRAL, ERFINV_TAIL, LOG_TERMS


class Draws(NamedTuple):
    """Which mutations, an int64 array on the device."""

    num_genes: int
    num_pairs: int
    first_pair: int
    unmutated: int  # pairs with a number below this one do not mutate
    purpose: int
    key0: int
    key1: int


NUM_GENES = tl.constexpr(Draws._fields.index("num_genes"))
NUM_PAIRS = tl.constexpr(Draws._fields.index("num_pairs"))
FIRST_PAIR = tl.constexpr(Draws._fields.index("first_pair"))
UNMUTATED = tl.constexpr(Draws._fields.index("unmutated"))
PURPOSE = tl.constexpr(Draws._fields.index("purpose"))
KEY0 = tl.constexpr(Draws._fields.index("key0"))
KEY1 = tl.constexpr(Draws._fields.index("key1"))

LOG_2, ROOT_2 = tl.constexpr(math.log(2.0)), tl.constexpr(math.sqrt(2.0))
ROOT_HALF = tl.constexpr(math.sqrt(0.5))
OF_LOG, NUM_LOG = tl.constexpr(LOG_TERMS), tl.constexpr(len(LOG_TERMS))
CENTRAL, NUM_CENTRAL = tl.constexpr(ERFINV_CENTRAL), tl.constexpr(len(ERFINV_CENTRAL))
TAIL, NUM_TAIL = tl.constexpr(ERFINV_TAIL), tl.constexpr(len(ERFINV_TAIL))
MANTISSA = tl.constexpr((1 << 52) - 1)
EXPONENT_OF_HALF = tl.constexpr(1022 << 52)


@triton.jit
def exactly(value: tl.constexpr):
    """A float64 constant; written into a formula, it could pass through float32."""
    return tl.full([], value, tl.float64)


@triton.jit
def polynomial(x, terms: tl.constexpr, count: tl.constexpr):
    """Horner's rule, highest power first, one rounding for each product and each sum."""
    value = x * 0.0 + exactly(terms[0])
    for k in tl.static_range(1, count):
        value = value * x + exactly(terms[k])
    return value


@triton.jit
def log(x):
    """Natural logarithm of positive normal numbers, as `evoplastic.random.counters` computes it."""
    one = exactly(1.0)
    bits = x.to(tl.int64, bitcast=True)
    exponent = ((bits >> 52) - 1022).to(tl.float64)
    mantissa = ((bits & MANTISSA) | EXPONENT_OF_HALF).to(tl.float64, bitcast=True)
    small = mantissa < exactly(ROOT_HALF)
    exponent = tl.where(small, exponent - one, exponent)
    mantissa = tl.where(small, mantissa + mantissa, mantissa)
    ratio = (mantissa - one) / (mantissa + one)
    series = polynomial(ratio * ratio, OF_LOG, NUM_LOG)
    return exponent * exactly(LOG_2) + exactly(2.0) * ratio * series


@triton.jit
def normal(word):
    """Standard normal float32 numbers of words: sqrt(2) erfinv(2 u - 1), u = (word + 1/2) / 2**32.

    The square root of a float64 number is rounded to nearest (`sqrt.rn.f64`), as is the quotient in
    `log`; only those of float32 have approximate forms.
    """
    one = exactly(1.0)
    u = (word.to(tl.float64) + exactly(0.5)) * exactly(2.0**-32)
    w = exactly(0.0) - log(exactly(4.0) * u * (one - u))
    central = polynomial(w - exactly(2.5), CENTRAL, NUM_CENTRAL)
    root = tl.sqrt(tl.where(w > exactly(0.0), w, exactly(0.0)))
    tail = polynomial(root - exactly(3.0), TAIL, NUM_TAIL)
    value = tl.where(w < exactly(5.0), central, tail)
    return (exactly(ROOT_2) * value * (exactly(2.0) * u - one)).to(tl.float32)


@triton.jit
def words_of_pair(counter, pair, draws):
    """The four words of each counter of a pair."""
    return philox(
        counter.to(tl.uint32),
        (counter * 0).to(tl.uint32),
        (counter * 0 + pair).to(tl.uint32),
        unsigned(draws, PURPOSE),
        unsigned(draws, KEY0),
        unsigned(draws, KEY1),
    )


@triton.jit
def mutation(word, gene, drawn, sigma_ptr):
    """sigma * z in float32, with the sigma of each gene."""
    return tl.load(sigma_ptr + gene, mask=drawn, other=0.0) * normal(word)


@triton.jit
def store_pair(word, gene, drawn, mutates, center_ptr, sigma_ptr, plus_ptr, minus_ptr):
    """Genes of center + m and center - m."""
    center = tl.load(center_ptr + gene, mask=drawn, other=0.0)
    change = tl.where(mutates, mutation(word, gene, drawn, sigma_ptr), 0.0)
    tl.store(plus_ptr + gene, center + change, mask=drawn)
    tl.store(minus_ptr + gene, center - change, mask=drawn)


@triton.jit
def perturb(center_ptr, sigma_ptr, draws, flat_out, COUNTERS: tl.constexpr):
    """Both genomes of pair i in the block b of their genes: program i * (number of blocks) + b."""
    num_genes = tl.load(draws + NUM_GENES)
    quarter = (num_genes + 3) // 4
    num_blocks = (quarter + COUNTERS - 1) // COUNTERS
    index = tl.program_id(0) // num_blocks
    pair = tl.load(draws + FIRST_PAIR) + index
    mutates = pair >= tl.load(draws + UNMUTATED)
    plus_ptr = flat_out + 2 * index * num_genes
    minus_ptr = plus_ptr + num_genes
    counter = (tl.program_id(0) % num_blocks) * COUNTERS + tl.arange(0, COUNTERS)
    words = words_of_pair(counter, pair, draws)
    for v in tl.static_range(4):
        gene = v * quarter + counter
        drawn = (counter < quarter) & (gene < num_genes)
        store_pair(words[v], gene, drawn, mutates, center_ptr, sigma_ptr, plus_ptr, minus_ptr)


@triton.jit
def pull(word, gene, drawn, weight, sigma_ptr):
    """weight * m in float64, of a mutation that was rounded to float32."""
    return weight * mutation(word, gene, drawn, sigma_ptr).to(tl.float64)


@triton.jit
def accumulate(total_ptr, sigma_ptr, weights_ptr, draws, COUNTERS: tl.constexpr):
    """total += sum over pairs of weight_i m_i: a program's genes, over all pairs in order."""
    num_genes = tl.load(draws + NUM_GENES)
    first_pair = tl.load(draws + FIRST_PAIR)
    quarter = (num_genes + 3) // 4
    counter = tl.program_id(0).to(tl.int64) * COUNTERS + tl.arange(0, COUNTERS)
    gene0, gene1, gene2, gene3 = (
        counter,
        quarter + counter,
        2 * quarter + counter,
        3 * quarter + counter,
    )
    ours = counter < quarter
    drawn0, drawn1 = ours & (gene0 < num_genes), ours & (gene1 < num_genes)
    drawn2, drawn3 = ours & (gene2 < num_genes), ours & (gene3 < num_genes)
    total0 = tl.load(total_ptr + gene0, mask=drawn0, other=0.0)
    total1 = tl.load(total_ptr + gene1, mask=drawn1, other=0.0)
    total2 = tl.load(total_ptr + gene2, mask=drawn2, other=0.0)
    total3 = tl.load(total_ptr + gene3, mask=drawn3, other=0.0)
    for index in range(tl.load(draws + NUM_PAIRS)):
        weight = tl.load(weights_ptr + index)
        word0, word1, word2, word3 = words_of_pair(counter, first_pair + index, draws)
        total0 += pull(word0, gene0, drawn0, weight, sigma_ptr)
        total1 += pull(word1, gene1, drawn1, weight, sigma_ptr)
        total2 += pull(word2, gene2, drawn2, weight, sigma_ptr)
        total3 += pull(word3, gene3, drawn3, weight, sigma_ptr)
    tl.store(total_ptr + gene0, total0, mask=drawn0)
    tl.store(total_ptr + gene1, total1, mask=drawn1)
    tl.store(total_ptr + gene2, total2, mask=drawn2)
    tl.store(total_ptr + gene3, total3, mask=drawn3)
