"""Which runs are compared, how seeds enter, and what is refused with which advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.effects.groups import compared_groups
from analysis.effects.keys import resolve_keys
from analysis.store import read_directory
from evoplastic.checks import UsageError
from tests.analysis.effects.swept import PAIR, sigma, swept

SEEDS = {1: 0.6, 2: 0.7, 3: 0.8}


def test_seeds_are_scores_of_a_value_in_the_order_of_values(tmp_path: Path) -> None:
    runs = sigma(tmp_path, 0.1, SEEDS, bias=0.1) + sigma(tmp_path, 0.02, SEEDS)
    found = compared_groups(runs, ["evolution.sigma"])
    assert found.keys == ("search.sigma",)
    assert [group.name for group in found.groups] == ["sigma=0.02", "sigma=0.1"]
    assert found.groups[1].scores == pytest.approx(SEEDS), "bias does not enter into ability"
    assert found.groups[1].bias[PAIR] == pytest.approx(dict.fromkeys(SEEDS, 0.1))
    assert (found.generation, found.tasks, found.pairs) == (9, PAIR, (PAIR,))
    assert compared_groups(runs, ["sigma"], "dms").groups[1].scores[1] == pytest.approx(0.7)
    assert compared_groups(runs, ["sigma"], "dms").pairs == ()


def test_runs_are_compared_where_all_have_been_evaluated(tmp_path: Path) -> None:
    far = sigma(tmp_path, 0.1, SEEDS, generations=(0, 9, 20))
    runs = sigma(tmp_path, 0.02, SEEDS) + far
    found = compared_groups(runs, ["sigma"])
    assert found.generation == 9
    assert "has come to 9" in found.left_out[0]
    assert compared_groups(runs, ["sigma"], at="last").generation is None
    with pytest.raises(UsageError, match=r"has not evaluated generation 20, but 0, 9"):
        compared_groups(runs, ["sigma"], at=20)
    apart = sigma(tmp_path / "apart", 0.3, SEEDS, generations=(0, 7))
    with pytest.raises(UsageError, match=r"only generation 0 in common; .* --generation last"):
        compared_groups(runs + apart, ["sigma"])


def test_another_setting_is_averaged_over_if_every_seed_has_all_its_values(tmp_path: Path) -> None:
    runs = [
        read_directory(
            swept(
                tmp_path / f"{value}-{rule}",
                seed,
                value + shift + seed / 100,
                search={"name": "es", "sigma": value},
                rule={"name": rule},
            )
        )
        for value in (0.2, 0.4)
        for rule, shift in (("oja", 0.0), ("hebb", 0.1))
        for seed in (1, 2)
    ]
    found = compared_groups(runs, ["search.sigma"])
    assert found.averaged_over == ("rule.name",)
    assert found.groups[0].scores == pytest.approx({1: 0.26, 2: 0.27})
    both = compared_groups(runs, ["sigma", "rule"])
    assert len(both.groups) == 4
    assert both.averaged_over == ()
    with pytest.raises(UsageError, match=r"differ in rule\.name, too, .*--by search\.sigma --by"):
        compared_groups(
            [run for run in runs if run.seed and "0.4-oja" not in run.run_id], ["sigma"]
        )
    incomplete = [run for run in runs if run.run_id != "0.4-oja-2"]
    with pytest.raises(UsageError, match=r"seed 2 of sigma=0\.4, of which 1 of 2 runs are not"):
        compared_groups(incomplete, ["sigma"])


def test_a_value_with_one_seed_is_left_out_or_refused_with_the_command(tmp_path: Path) -> None:
    pair = sigma(tmp_path, 0.1, SEEDS) + sigma(tmp_path, 0.02, SEEDS)
    one = sigma(tmp_path, 0.3, {4: 0.9})
    found = compared_groups(pair + one, ["sigma"])
    assert [group.name for group in found.groups] == ["sigma=0.02", "sigma=0.1"]
    assert "sigma=0.3 has one seed (4)" in found.left_out[0]
    with pytest.raises(UsageError, match=r"two settings of 2 seeds .* evolve \S+yaml seed=5`"):
        compared_groups(pair[:3] + one, ["sigma"])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"held_out": ("xor", "nxor")}, r"other tasks \(dms, dnms; xor, nxor\).*--score TASK"),
        ({"held_out": ("dms", "and")}, r"other tasks"),
        ({"digest": "0ther"}, r"ask other things: suite .* 5017e and 0ther"),
    ],
)
def test_other_tasks_are_refused(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    runs = sigma(tmp_path, 0.1, SEEDS) + sigma(tmp_path, 0.02, SEEDS, **changed)
    with pytest.raises(UsageError, match=message):
        compared_groups(runs, ["sigma"])


def test_a_task_held_out_here_and_trained_on_there_is_refused(tmp_path: Path) -> None:
    moved = sigma(tmp_path, 0.02, SEEDS, held_out=("and", "nand"), train="dms")
    runs = sigma(tmp_path, 0.1, SEEDS) + moved
    with pytest.raises(UsageError, match=r"differ in the split: and is held out in one"):
        compared_groups(runs, ["sigma"], "and")


def test_keys_are_found_however_they_are_written(tmp_path: Path) -> None:
    runs = sigma(tmp_path, 0.1, SEEDS)
    flats = [{"search.sigma": 1, "rule.name": "oja", "rule.eta": 1, "genome.eta": 2}]
    assert resolve_keys(["evolution.sigma", "rule", "rule.eta"], flats) == (
        "search.sigma", "rule.name", "rule.eta",
    )  # fmt: skip
    with pytest.raises(UsageError, match=r"--by eta may be any of rule\.eta, genome\.eta"):
        resolve_keys(["eta"], flats)
    with pytest.raises(UsageError, match=r"--by search\.sigm: no run .* mean 'search\.sigma'\?"):
        compared_groups(runs, ["search.sigm"])
    with pytest.raises(UsageError, match=r"no run has that setting; `evoplastic config show"):
        compared_groups(runs, ["zzz.qqq"])
    with pytest.raises(UsageError, match=r"seeds are the replicates"):
        compared_groups(runs, ["seed"])
    with pytest.raises(UsageError, match=r"all 3 runs have sigma=0\.1, .* leave --by out"):
        compared_groups(runs, ["sigma"])
    with pytest.raises(UsageError, match=r"seed 1 more than once"):
        compared_groups([*runs, runs[0], *sigma(tmp_path, 0.2, SEEDS)], ["sigma"])
