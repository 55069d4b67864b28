"""Counter-based random numbers: every draw is a pure function of where it is used.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3")
turns a 128-bit counter under a 64-bit key into four 32-bit words. The key is the run seed. The
counter says what the draw is for:

    word 0  position within a row of draws      word 2  stream (antithetic pair, or lifetime)
    word 1  trial (or 0)                        word 3  purpose << 24 | epoch (generation)

A row of n draws takes Q = ceil(n / 4) counters; word v of counter q is element v * Q + q, so that
vector lanes over q write contiguous memory. The functions below work alike on numpy arrays and
torch tensors, in 64-bit integers, and define what the fused engines must reproduce bit for bit.
"""

from __future__ import annotations

import enum
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evoplastic.checks import require

MASK32 = 0xFFFFFFFF
PHILOX_M0, PHILOX_M1 = 0xD2511F53, 0xCD9E8D57
PHILOX_W0, PHILOX_W1 = 0x9E3779B9, 0xBB67AE85
PHILOX_ROUNDS = 10
MAX_EPOCH = 1 << 24

Int64Array = NDArray[np.int64]
Float32Array = NDArray[np.float32]


class Purpose(enum.IntEnum):
    """What a stream of draws is for; evaluation lifetimes never share draws with evolution."""

    GENOME = 0  # the first genome
    MUTATION = 1
    TASK = 2  # which task a pair meets
    TRIAL = 3  # which bank entry a trial asks
    PERTURBATION = 4
    EVALUATION_TRIAL = 5
    EVALUATION_PERTURBATION = 6
    WIRING = 7  # which lines carry the channels and actions of a lifetime
    EVALUATION_WIRING = 8
    BANK = 9  # the trials that a bank holds
    BIRTH = 10  # the random weights of a newborn
    EVALUATION_BIRTH = 11
    ACTION = 12  # which action is taken, where actions are drawn
    WORLD = 13  # what a generated meta-task is made of
    COEVOLUTION = 14  # which meta-tasks that evolve are mutated, and how
    STREAM = 15  # the order of a stream whose trials are shuffled


def purpose_word(purpose: Purpose, epoch: int) -> int:
    """Word 3 of the counter.

    Raises:
        UsageError: the epoch does not fit into 24 bits.
    """
    require(0 <= epoch < MAX_EPOCH, f"epoch is {epoch}, expected 0 <= epoch < 2**24")
    return (int(purpose) << 24) | epoch


def seed_key(seed: int) -> tuple[int, int]:
    """The two key words of a run seed.

    Raises:
        UsageError: the seed is not within [0, 2**64).
    """
    require(0 <= seed < 1 << 64, f"seed is {seed}, expected 0 <= seed < 2**64")
    return seed & MASK32, seed >> 32


def philox(counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Four 32-bit words for each counter, in 64-bit integer arrays, tensors or Python integers.

    Ten rounds of
        c0, c1, c2, c3 <- hi(M1 c2) ^ c1 ^ k0, lo(M1 c2), hi(M0 c0) ^ c3 ^ k1, lo(M0 c0)
        k0, k1 <- k0 + W0, k1 + W1                                        (modulo 2**32)
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(PHILOX_ROUNDS):
        high0, low0 = _multiply(PHILOX_M0, c0)
        high1, low1 = _multiply(PHILOX_M1, c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + PHILOX_W0) & MASK32, (k1 + PHILOX_W1) & MASK32
    return c0, c1, c2, c3


def _multiply(factor: int, word: Any) -> tuple[Any, Any]:
    """High and low half of a 32 x 32-bit product, by 16-bit halves: int64 never overflows.

    Arrays of unsigned numbers hold it as a whole, which is twice as fast.
    """
    if getattr(word, "dtype", None) == np.uint64:
        product = word * np.uint64(factor)
        return product >> 32, product & MASK32
    low = factor * (word & 0xFFFF)
    high = factor * (word >> 16) + (low >> 16)
    return high >> 16, ((high & 0xFFFF) << 16) | (low & 0xFFFF)


def words(
    seed: int, purpose: Purpose, epoch: int, stream: int, trial: int, count: int
) -> Int64Array:
    """A row of `count` 32-bit words of one stream and trial, as int64."""
    quarter = -(-count // 4)
    position = np.arange(quarter, dtype=np.int64)
    counter = (position, trial, stream, purpose_word(purpose, epoch))
    row = np.concatenate(
        [np.broadcast_to(word, (quarter,)) for word in philox(counter, seed_key(seed))]
    )
    return row[:count]


def bounded(word: Any, size: Any) -> Any:
    """A number in [0, size): the high half of word * size, for sizes below 2**31."""
    return (word * size) >> 32


def perturbation_constants(probability: float, amplitude: float) -> tuple[int, int, np.float32]:
    """Threshold, centre and scale that turn a word u into a node perturbation.

        hit  <=>  u < threshold,   xi = float32(u - centre) * scale

    One word decides the hit and, given a hit, is uniform below the threshold; integer centring and
    a single product keep the value the same on every engine.
    """
    threshold = min(round(probability * 2**32), 2**32)
    return threshold, threshold // 2, np.float32(2.0 * amplitude / threshold)


def perturbation(words_: Int64Array, probability: float, amplitude: float) -> NDArray[np.float32]:
    """Node perturbations: uniform in [-amplitude, amplitude) with the given chance, else 0."""
    threshold, centre, scale = perturbation_constants(probability, amplitude)
    value = (words_ - centre).astype(np.float32) * scale
    return np.where(words_ < threshold, value, np.float32(0.0))


LOG_TERMS = tuple(1.0 / (2 * k + 1) for k in range(10, -1, -1))
# Giles (2010), "Approximating the erfinv function", single-precision coefficients.
ERFINV_CENTRAL = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
ERFINV_TAIL = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)


def _log(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Natural logarithm from +, -, *, / alone, so that every engine rounds alike."""
    mantissa, exponent = np.frexp(value)
    small = mantissa < math.sqrt(0.5)
    mantissa = np.where(small, 2.0 * mantissa, mantissa)
    exponent = np.where(small, exponent - 1, exponent)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    square = ratio * ratio
    series = np.zeros_like(ratio)
    for term in LOG_TERMS:
        series = series * square + term
    return exponent * math.log(2.0) + 2.0 * ratio * series


def _polynomial(value: NDArray[np.float64], coefficients: tuple[float, ...]) -> NDArray[np.float64]:
    result = np.full_like(value, coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * value + coefficient
    return result


def normal_from_words(words_: Int64Array) -> NDArray[np.float32]:
    """Standard normal numbers by the inverse of the error function.

        z = sqrt(2) erfinv(2 u - 1),   u = (word + 1/2) / 2**32

    Absolute error below 1e-5 within 5 standard deviations. Source: Giles 2010.
    """
    u = (words_.astype(np.float64) + 0.5) * 2.0**-32
    w = -_log(4.0 * u * (1.0 - u))
    central = _polynomial(w - 2.5, ERFINV_CENTRAL)
    tail = _polynomial(np.sqrt(np.maximum(w, 0.0)) - 3.0, ERFINV_TAIL)
    z = math.sqrt(2.0) * np.where(w < 5.0, central, tail) * (2.0 * u - 1.0)
    return z.astype(np.float32)


def normal(seed: int, purpose: Purpose, epoch: int, stream: int, count: int) -> NDArray[np.float32]:
    """`count` standard normal numbers of one stream."""
    return normal_from_words(words(seed, purpose, epoch, stream, 0, count))
