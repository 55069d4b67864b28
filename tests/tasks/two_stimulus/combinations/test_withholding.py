from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, product

import pytest

from evoplastic.checks import UsageError
from tasks.two_stimulus.combinations.factors import FACTORS
from tasks.two_stimulus.combinations.withholding import Withheld, withhold

FEW = {
    "rule": ["and", "first", "same"],
    "delay": ["none", "long"],
    "response": ["pro", "anti"],
    "modality": ["a", "b", "a_over_b"],
}
ONE = [{"rule": "same", "delay": "long", "response": "pro", "modality": "b"}]


def split(withheld: Sequence[dict[str, str]], cued: bool = False) -> Withheld:
    return withhold(FEW, withheld, cued=cued)


def newness(levels: Sequence[str], trained: Sequence[Sequence[str]]) -> int:
    """The smallest part that no trained combination shares, by what each of them shares at most."""
    shared = [{i for i in range(4) if t[i] == levels[i]} for t in trained]
    return min(
        size
        for size in range(1, 5)
        for part in combinations(range(4), size)
        if not any(set(part) <= each for each in shared)
    )


def test_the_product_is_split_without_rest() -> None:
    found = split([{"rule": "same", "delay": "long", "modality": "b"}, *ONE])
    names = {task.name for task in (*found.train, *found.held_out)}
    assert names == {"-".join(levels) for levels in product(*FEW.values())}
    assert [task.name for task in found.held_out] == ["same-long-pro-b", "same-long-anti-b"]
    assert found.new_together == {"same-long-pro-b": 3, "same-long-anti-b": 3}


def test_a_combination_alone_is_new_as_a_whole() -> None:
    assert split(ONE).new_together == {"same-long-pro-b": 4}


def test_newness_is_that_of_the_smallest_part_never_trained() -> None:
    draw, sound = random.Random(0), 0
    for _ in range(60):
        withheld = [
            {factor: draw.choice(FEW[factor]) for factor in draw.sample(list(FEW), size)}
            for size in draw.choices((3, 4), k=draw.randint(1, 4))
        ]
        try:
            found = split(withheld)
        except UsageError:
            continue
        trained = [task.of for task in found.train]
        for task in found.held_out:
            assert found.new_together[task.name] == newness(task.of, trained) >= 3
        sound += 1
    assert sound > 30


@pytest.mark.parametrize(
    ("withheld", "message"),
    [
        ([{"rule": "same"}], "same-none-pro-a .* its rule same never occurs in training"),
        (
            [{"rule": "same", "delay": "long"}],
            "its rule same and delay long never occur together in training; withhold fewer",
        ),
        (
            [{"delay": "long", "modality": "b", "rule": rule} for rule in FEW["rule"]],
            "its delay long and modality b never occur together",
        ),
        ([], "no combination is withheld"),
        ([{}], "names no level"),
        ([{"rules": "same"}], "unknown factor of a withheld combination 'rules'; did you mean"),
        ([{"rule": "sane"}], "unknown level of factor rule of this suite: 'sane'; did you mean"),
        ([{"rule": "or", "delay": "long", "modality": "b"}], "'or'; known: and, first, same"),
    ],
)
def test_what_cannot_be_put_together_is_refused(
    withheld: list[dict[str, str]], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        split(withheld)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ({"rule": ["and", "sme"]}, "unknown level of factor rule 'sme'; did you mean 'same'"),
        ({"rule": ["same", "and", "same"]}, "factor rule lists same more than once"),
        ({"delay": []}, "factor delay has no level"),
        ({"speed": ["slow"]}, "unknown factor of combinations 'speed'"),
    ],
)
def test_factors_are_known(factors: dict[str, list[str]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        withhold(FEW | factors, ONE, cued=False)


def test_of_two_factors_every_combination_is_a_pair() -> None:
    with pytest.raises(UsageError, match="give the other factors more levels"):
        withhold(
            {"rule": ["and", "same"], "modality": ["a", "b"]},
            [{"rule": "same", "modality": "b"}],
            cued=True,
        )


def test_cues_are_those_of_factors_with_a_choice() -> None:
    found = split(ONE, cued=True)
    assert found.train[0].cues == tuple((f, level) for f in FACTORS for level in FEW[f])
    one_delay = withhold(
        FEW | {"delay": ["long"]},
        [{"rule": "same", "response": "pro", "modality": "b"}],
        cued=True,
    )
    assert not any(factor == "delay" for factor, _ in one_delay.train[0].cues)
    assert one_delay.new_together == {"same-long-pro-b": 3}
