"""What is typed of a sweep, and what of it is refused."""

from __future__ import annotations

import pytest

from cluster.sweep.axes import number_of_runs, parse_axes
from evoplastic.checks import UsageError


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("seed=1..3", ("1", "2", "3")),
        ("seed=-1..1,7", ("-1", "0", "1", "7")),
        ("search.sigma=0.02, 0.03", ("0.02", "0.03")),
        ("search=es,{name: es, sigma: 0.1}", ("es", "{name: es, sigma: 0.1}")),
        ("lifetime.birth.innate=[modulators],[a, b]", ("[modulators]", "[a, b]")),
        ("name='a,b',c", ("'a,b'", "c")),
        ("name=don't,won't", ("don't", "won't")),
        ('x=["a,]", 2],3', ('["a,]", 2]', "3")),
        ("suite=../a.yaml,../b.yaml", ("../a.yaml", "../b.yaml")),
        ("x=null,true", ("null", "true")),
        ("seed=5..5", ("5",)),
    ],
)
def test_values_are_cut_at_commas_outside_of_brackets_and_quotes(
    word: str, texts: tuple[str, ...]
) -> None:
    (axis,) = parse_axes([word])
    assert axis.texts == texts
    assert axis.overrides() == [f"{axis.key}={text}" for text in texts]


def test_several_keys_make_every_combination() -> None:
    assert number_of_runs(parse_axes(["seed=1..5", "search.sigma=0.1,0.2", "num_neurons=16"])) == 10


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["seed"], "is not of the form key=values"),
        (["=1,2"], "is not of the form key=values"),
        (["seed="], "'seed=' has an empty value"),
        (["seed=1,,2"], "has an empty value"),
        (["seed=1,2,1"], "seed has the value 1 twice"),
        (["seed=1..3,2"], "seed has the value 2 twice"),
        (["search.sigma=0.02,0.020"], "search.sigma has the value 0.02 and 0.020 twice"),
        (["search.sigma=1,1.0"], "has the value 1 and 1.0 twice"),
        (["seed=3..1"], "counts down and is empty; write seed=1..3"),
        (["search.sigma=0.1..0.3"], "only whole numbers are counted"),
        (["seed=1..1000000000000"], "1,000,000,000,000 values, expected at most 100,000"),
        (["seed=1,2", "seed=3"], "seed is given twice; name all of its values in one word"),
        (["search.sigma=1,2", "evolution.sigma=3"], "sigma is given twice, once as search.sigma"),
        (["rule=oja,hebb", "rule.name=oja"], "rule.name is given twice, once as rule"),
        (["x=[1,2"], "is not valid YAML"),
    ],
)
def test_what_is_no_list_of_values_is_refused(words: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        parse_axes(words)
