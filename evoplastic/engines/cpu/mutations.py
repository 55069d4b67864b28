"""Normal numbers and mutations by compiled loops, equal to `random.counters` bit for bit.

A generation needs every mutation twice: to build its genomes, and to sum its gradient, for which
no mutation is ever kept. Sums run over pairs in ascending order for every gene, whatever the number
of threads. A kernel compiles in a second or two, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evoplastic.engines.cpu.simd.compile import compiled_once, inlined
from evoplastic.engines.cpu.simd.philox import PHILOX_LANES, fill_words
from evoplastic.engines.cpu.simd.vectors import (
    bits_of_f64,
    f64_of_bits,
    f64_to_f32,
    load,
    no_less,
    signed_to_f64,
    splat_f64,
    splat_u64,
    square_root,
    store,
    unsigned_to_f64,
    where_less,
)
from evoplastic.machine import usable_cores
from evoplastic.random.counters import (
    ERFINV_CENTRAL,
    ERFINV_TAIL,
    LOG_TERMS,
    Purpose,
    purpose_word,
    seed_key,
)

LANES = 16
CHUNK = 1024  # counters made at a time; their words stay in the first-level cache
WORD_ROW = CHUNK + PHILOX_LANES

LOG_2, ROOT_2, ROOT_HALF = math.log(2.0), math.sqrt(2.0), math.sqrt(0.5)
MANTISSA = np.uint64((1 << 52) - 1)
EXPONENT_OF_HALF = np.uint64(1022 << 52)
EXPONENT_SHIFT = np.uint64(52)
EXPONENT_BIAS = np.uint64(1022)

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@inlined
def _polynomial(value: Any, coefficients: Any) -> Any:
    result = splat_f64(coefficients[0], LANES)
    for k in range(1, len(coefficients)):
        result = result * value + splat_f64(coefficients[k], LANES)
    return result


@inlined
def _log(value: Any) -> Any:
    one, half = splat_f64(1.0, LANES), splat_f64(ROOT_HALF, LANES)
    bits = bits_of_f64(value)
    exponent = signed_to_f64(
        (bits >> splat_u64(EXPONENT_SHIFT, LANES)) - splat_u64(EXPONENT_BIAS, LANES)
    )
    mantissa = f64_of_bits((bits & splat_u64(MANTISSA, LANES)) | splat_u64(EXPONENT_OF_HALF, LANES))
    exponent = where_less(mantissa, half, exponent - one, exponent)
    mantissa = where_less(mantissa, half, mantissa + mantissa, mantissa)
    ratio = (mantissa - one) / (mantissa + one)
    series = _polynomial(ratio * ratio, LOG_TERMS)
    return exponent * splat_f64(LOG_2, LANES) + splat_f64(2.0, LANES) * ratio * series


@inlined
def _normal(words: Any) -> Any:
    """Standard normal float32 numbers of a vector of words."""
    one, zero = splat_f64(1.0, LANES), splat_f64(0.0, LANES)
    u = (unsigned_to_f64(words) + splat_f64(0.5, LANES)) * splat_f64(2.0**-32, LANES)
    w = zero - _log(splat_f64(4.0, LANES) * u * (one - u))
    central = _polynomial(w - splat_f64(2.5, LANES), ERFINV_CENTRAL)
    root = square_root(no_less(w, zero)) - splat_f64(3.0, LANES)
    tail = _polynomial(root, ERFINV_TAIL)
    value = where_less(w, splat_f64(5.0, LANES), central, tail)
    return f64_to_f32(splat_f64(ROOT_2, LANES) * value * (splat_f64(2.0, LANES) * u - one))


@inlined
def _fill_normals(
    words: Any, normals: Any, first: int, stop: int, stream: Any, purpose: Any, key0: Any, key1: Any
) -> None:
    """normals[v * WORD_ROW + i] = normal number of word v of counter first + i."""
    fill_words(words, WORD_ROW, first, stop, 0, stream, purpose, key0, key1)
    for v in range(4):
        row = v * WORD_ROW
        for i in range(row, row + stop - first, LANES):
            store(normals, i, _normal(load(words, i, LANES)))


@compiled_once
def _normal_row(
    out: Any, words: Any, normals: Any, stream: Any, purpose: Any, key0: Any, key1: Any
) -> None:
    quarter = (out.size + 3) // 4
    for first in range(0, quarter, CHUNK):
        stop = min(first + CHUNK, quarter)
        _fill_normals(words, normals, first, stop, stream, purpose, key0, key1)
        for v in range(4):
            begin = v * quarter + first
            for i in range(min(stop - first, out.size - begin)):
                out[begin + i] = normals[v * WORD_ROW + i]


@compiled_once
def _perturb_pair(
    plus: Any,
    minus: Any,
    center: Any,
    sigma: Any,
    words: Any,
    normals: Any,
    stream: Any,
    purpose: Any,
    key0: Any,
    key1: Any,
) -> None:
    quarter = (plus.size + 3) // 4
    for first in range(0, quarter, CHUNK):
        stop = min(first + CHUNK, quarter)
        _fill_normals(words, normals, first, stop, stream, purpose, key0, key1)
        for v in range(4):
            begin = v * quarter + first
            for i in range(min(stop - first, plus.size - begin)):
                gene = begin + i
                mutation = sigma[gene] * normals[v * WORD_ROW + i]
                plus[gene] = center[gene] + mutation
                minus[gene] = center[gene] - mutation


@compiled_once
def _accumulate(
    total: Any,
    sigma: Any,
    weights: Any,
    first_pair: int,
    first: int,
    stop: int,
    words: Any,
    normals: Any,
    purpose: Any,
    key0: Any,
    key1: Any,
) -> None:
    """Genes of counters [first, stop), at most CHUNK of them, over all pairs in order."""
    quarter = (total.size + 3) // 4
    for index in range(weights.size):
        weight = weights[index]
        if weight == 0.0:
            continue
        _fill_normals(words, normals, first, stop, first_pair + index, purpose, key0, key1)
        for v in range(4):
            begin = v * quarter + first
            for i in range(min(stop - first, total.size - begin)):
                gene = begin + i
                mutation = sigma[gene] * normals[v * WORD_ROW + i]
                total[gene] += weight * np.float64(mutation)


def normal_rows(
    seed: int,
    purpose: Purpose,
    epoch: int,
    first_stream: int,
    num_streams: int,
    count: int,
    *,
    threads: int = 0,
) -> Float32Array:
    """Standard normal numbers [num_streams, count]: row i is `noise.normal` of that stream.

    Args:
        seed: run seed.
        purpose: what the draws are for.
        epoch: generation.
        first_stream: stream of row 0; row i has stream first_stream + i.
        num_streams: rows.
        count: numbers in a row.
        threads: 0 means one per core.
    """
    out = np.empty((num_streams, count), dtype=np.float32)
    name = np.uint32(purpose_word(purpose, epoch))
    key0, key1 = (np.uint32(k) for k in seed_key(seed))

    def row(index: int, words: Any, normals: Any) -> None:
        _normal_row(out[index], words, normals, first_stream + index, name, key0, key1)

    _spread(row, num_streams, threads)
    return out


def perturb_pairs(
    center_G: Float32Array,
    sigma_G: Float32Array,
    seed: int,
    epoch: int,
    first_pair: int,
    num_pairs: int,
    *,
    unmutated: int = 0,
    threads: int = 0,
) -> Float32Array:
    """Genomes [2 * num_pairs, G]: rows 2i and 2i + 1 are center + m_i and center - m_i.

        m_i = sigma * z_i gene by gene;     z_i standard normal numbers of stream first_pair + i

    Args:
        center_G: float32 center.
        sigma_G: size of each gene's mutations; 0 for one that does not mutate.
        seed: run seed.
        epoch: generation.
        first_pair: number of the first pair.
        num_pairs: how many pairs.
        unmutated: pairs with a number below this one do not mutate.
        threads: 0 means one per core.
    """
    out = np.empty((2 * num_pairs, center_G.size), dtype=np.float32)
    name = np.uint32(purpose_word(Purpose.MUTATION, epoch))
    key0, key1 = (np.uint32(k) for k in seed_key(seed))

    def pair(index: int, words: Any, normals: Any) -> None:
        plus, minus = out[2 * index], out[2 * index + 1]
        number = first_pair + index
        if number < unmutated:
            plus[:] = minus[:] = center_G
            return
        _perturb_pair(plus, minus, center_G, sigma_G, words, normals, number, name, key0, key1)

    _spread(pair, num_pairs, threads)
    return out


def accumulate_pairs(
    total_G: Float64Array,
    sigma_G: Float32Array,
    seed: int,
    epoch: int,
    first_pair: int,
    weights: Float64Array,
    *,
    unmutated: int = 0,
    threads: int = 0,
) -> None:
    """total += sum over pairs of weight_i m_i, in float64, pairs in ascending order for each gene.

    Args:
        total_G: what to add to, in place.
        sigma_G: size of each gene's mutations; 0 for one that does not mutate.
        seed: run seed.
        epoch: generation.
        first_pair: number of the first pair.
        weights: one for each pair; pairs of weight 0 are skipped.
        unmutated: pairs with a number below this one do not mutate.
        threads: 0 means one per core.
    """
    name = np.uint32(purpose_word(Purpose.MUTATION, epoch))
    key0, key1 = (np.uint32(k) for k in seed_key(seed))
    pulls = np.array(weights, dtype=np.float64)
    pulls[: max(0, unmutated - first_pair)] = 0.0
    quarter = -(-total_G.size // 4)
    step = min(CHUNK, -(-quarter // (8 * PHILOX_LANES)) * PHILOX_LANES)

    def genes(index: int, words: Any, normals: Any) -> None:
        first = index * step
        stop = min(first + step, quarter)
        _accumulate(
            total_G,
            sigma_G,
            pulls,
            first_pair,
            first,
            stop,
            words,
            normals,
            name,
            key0,
            key1,
        )

    _spread(genes, -(-quarter // step), threads)


def _spread(work: Callable[[int, Any, Any], None], count: int, threads: int) -> None:
    """Do work 0 .. count - 1 on threads that each have workspace for the words of a chunk."""
    threads = min(threads or usable_cores(), max(count, 1))

    def share(first: int) -> None:
        words = np.empty(4 * WORD_ROW, dtype=np.uint32)
        normals = np.empty(4 * WORD_ROW, dtype=np.float32)
        for index in range(first, count, threads):
            work(index, words, normals)

    if threads == 1:
        share(0)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(share, first) for first in range(threads)]:
            done.result()
