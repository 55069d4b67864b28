"""Counter-based random numbers against published vectors, theory and an independent Philox."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from evoplastic.checks import UsageError
from evoplastic.random import counters as noise
from evoplastic.random.counters import Purpose

# Known answers of philox4x32-10, from the file kat_vectors of Random123 (Salmon et al. 2011).
KNOWN_ANSWERS = [
    (
        (0x00000000, 0x00000000, 0x00000000, 0x00000000),
        (0x00000000, 0x00000000),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
        (0xFFFFFFFF, 0xFFFFFFFF),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(
    counter: tuple[int, ...], key: tuple[int, int], answer: tuple[int, ...]
) -> None:
    c0, c1, c2, c3 = counter
    assert noise.philox((c0, c1, c2, c3), key) == answer
    a0, a1, a2, a3 = (np.full(3, word, dtype=np.int64) for word in counter)
    arrays = noise.philox((a0, a1, a2, a3), key)
    assert [word.tolist() for word in arrays] == [[word] * 3 for word in answer]
    u0, u1, u2, u3 = (word.astype(np.uint64) for word in (a0, a1, a2, a3))
    whole = noise.philox((u0, u1, u2, u3), key)
    assert [word.tolist() for word in whole] == [[word] * 3 for word in answer]
    t0, t1, t2, t3 = (torch.full((3,), word, dtype=torch.int64) for word in counter)
    tensors = noise.philox((t0, t1, t2, t3), key)
    assert [word.tolist() for word in tensors] == [[word] * 3 for word in answer]


def test_words_come_from_the_counter_the_module_describes() -> None:
    """Word v of counter q is element v * Q + q; every coordinate has its own counter word."""
    seed, epoch, stream, trial, count = 0x1234_5678_9ABC_DEF0, 77, 3_000_000_000, 399, 18
    row = noise.words(seed, Purpose.PERTURBATION, epoch, stream, trial, count)
    assert row.shape == (count,)
    assert row.dtype == np.int64
    quarter = 5
    for element in range(count):
        counter = (element % quarter, trial, stream, (4 << 24) | 77)
        answer = noise.philox(counter, (0x9ABC_DEF0, 0x1234_5678))
        assert row[element] == answer[element // quarter], f"element {element}"


def test_words_of_tensors_and_arrays_are_equal() -> None:
    row = noise.words(9, Purpose.MUTATION, 2, 5, 0, 400)
    position = torch.arange(100)
    drawn = noise.philox(
        (position, 0, 5, noise.purpose_word(Purpose.MUTATION, 2)), noise.seed_key(9)
    )
    assert torch.cat(list(drawn)).tolist() == row.tolist()


def test_every_coordinate_gives_another_row() -> None:
    """Neighbours in seed, purpose, epoch, stream and trial share no word with the base row."""
    base = (11, Purpose.TRIAL, 3, 8, 2)
    rows = [noise.words(*base, 64)]
    rows += [noise.words(11, purpose, 3, 8, 2, 64) for purpose in Purpose if purpose != base[1]]
    rows += [noise.words(12, Purpose.TRIAL, 3, 8, 2, 64), noise.words(2**40, *base[1:], 64)]
    rows += [noise.words(11, Purpose.TRIAL, 4, 8, 2, 64)]
    rows += [noise.words(11, Purpose.TRIAL, 3, 9, 2, 64)]
    rows += [noise.words(11, Purpose.TRIAL, 3, 8, 3, 64)]
    for one, other in itertools.combinations(rows, 2):
        assert not set(one.tolist()) & set(other.tolist())


def test_purposes_never_meet_whatever_the_epoch() -> None:
    """Purpose and epoch fill disjoint bits of one counter word."""
    last = noise.MAX_EPOCH - 1
    ranges = sorted((noise.purpose_word(p, 0), noise.purpose_word(p, last)) for p in Purpose)
    assert all(word <= noise.MASK32 for pair in ranges for word in pair)
    for (_, stop), (start, _) in itertools.pairwise(ranges):
        assert stop < start


def test_numbers_of_purposes_never_change() -> None:
    """They enter every draw: renumbering would silently change every run."""
    assert {purpose.name: purpose.value for purpose in Purpose} == {
        "GENOME": 0,
        "MUTATION": 1,
        "TASK": 2,
        "TRIAL": 3,
        "PERTURBATION": 4,
        "EVALUATION_TRIAL": 5,
        "EVALUATION_PERTURBATION": 6,
        "WIRING": 7,
        "EVALUATION_WIRING": 8,
        "BANK": 9,
        "BIRTH": 10,
        "EVALUATION_BIRTH": 11,
        "ACTION": 12,
        "WORLD": 13,
        "COEVOLUTION": 14,
        "STREAM": 15,
    }


@pytest.mark.parametrize("epoch", [-1, 1 << 24])
def test_an_epoch_outside_24_bits_is_refused(epoch: int) -> None:
    with pytest.raises(UsageError, match=f"epoch is {epoch}"):
        noise.purpose_word(Purpose.TASK, epoch)


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_outside_64_bits_is_refused(seed: int) -> None:
    with pytest.raises(UsageError, match=f"seed is {seed}"):
        noise.words(seed, Purpose.TASK, 0, 0, 0, 1)


def test_bounded_reaches_exactly_the_numbers_below_its_size() -> None:
    assert noise.bounded(0, 7) == 0
    assert noise.bounded(2**32 - 1, 7) == 6
    assert noise.bounded(2**32 - 1, 2**31 - 1) == 2**31 - 2
    row = noise.words(1, Purpose.TRIAL, 0, 0, 0, 30_000)
    drawn = noise.bounded(row, 6)
    assert stats.chisquare(np.bincount(drawn, minlength=6)).pvalue > 1e-3
    sizes = np.array([1, 2, 3])
    assert noise.bounded(np.array([5, 2**31, 2**32 - 1]), sizes).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("probability", "amplitude"), [(0.1, 0.5), (0.73, 2.0), (1.0, 0.25)])
def test_perturbations_hit_at_their_rate_and_are_uniform(
    probability: float, amplitude: float
) -> None:
    count = 100_000
    row = noise.words(3, Purpose.PERTURBATION, 1, 2, 3, count)
    xi = noise.perturbation(row, probability, amplitude)
    assert xi.dtype == np.float32
    threshold, _, _ = noise.perturbation_constants(probability, amplitude)
    struck = xi[row < threshold]
    assert not xi[row >= threshold].any()
    assert stats.binomtest(len(struck), count, probability).pvalue > 1e-3
    assert stats.kstest(struck, stats.uniform(-amplitude, 2 * amplitude).cdf).pvalue > 1e-3
    assert np.abs(struck).max() <= amplitude
    assert struck.min() < -0.99 * amplitude
    assert struck.max() > 0.99 * amplitude


def test_perturbations_of_neighbouring_neurons_and_steps_are_uncorrelated() -> None:
    rows = np.stack(
        [noise.words(3, Purpose.PERTURBATION, 1, 2, k, 4_000) for k in range(8)]
    ).astype(np.float64)
    correlation = np.corrcoef(rows)[~np.eye(8, dtype=bool)]
    assert np.abs(correlation).max() < 4.5 / math.sqrt(4_000)
    lagged = [np.corrcoef(row[:-1], row[1:])[0, 1] for row in rows]
    assert np.abs(lagged).max() < 4.5 / math.sqrt(4_000)


def test_the_smallest_chance_still_has_a_scale() -> None:
    assert noise.perturbation_constants(2.0**-32, 0.5) == (1, 0, np.float32(1.0))


def test_zero_amplitude_perturbs_nothing() -> None:
    row = noise.words(3, Purpose.PERTURBATION, 0, 0, 0, 100)
    assert not noise.perturbation(row, 1.0, 0.0).any()


def test_normal_numbers_equal_the_exact_quantile() -> None:
    """z = the standard normal quantile of (word + 1/2) / 2^32, to 1e-5 within 5 deviations."""
    tail = np.geomspace(1e-9, 0.02, 5_001)
    quantile = np.concatenate([tail, np.linspace(0.02, 0.98, 20_001), 1.0 - tail])
    row = np.clip(np.floor(quantile * 2.0**32), 0, 2**32 - 1).astype(np.int64)
    z = noise.normal_from_words(row)
    exact = stats.norm.ppf((row + 0.5) / 2.0**32)
    inside = np.abs(exact) <= 5
    assert inside.sum() > 25_000
    assert np.abs(z - exact)[inside].max() < 1e-5
    ends = noise.normal_from_words(np.array([0, 2**32 - 1]))
    assert np.isfinite(ends).all()
    assert ends[0] == -ends[1] == pytest.approx(stats.norm.ppf(0.5**33), abs=5e-3)


def test_normal_numbers_are_normal() -> None:
    z = noise.normal(7, Purpose.MUTATION, 4, 11, 100_000).astype(np.float64)
    assert z.shape == (100_000,)
    assert stats.kstest(z, "norm").pvalue > 1e-3
    assert abs(z.mean()) < 4 / math.sqrt(100_000)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / 100_000)
    assert abs(stats.skew(z)) < 4 * math.sqrt(6 / 100_000)
    assert abs(stats.kurtosis(z)) < 4 * math.sqrt(24 / 100_000)


def test_normal_numbers_never_change() -> None:
    """A genome, and so a whole run, is a function of these bits, on every machine."""
    z = noise.normal(2026, Purpose.GENOME, 0, 0, 4)
    assert z.view(np.uint32).tolist() == [3190934482, 1030057901, 1057488690, 3205025246]
